//! The structures that cross the C border. Those that stand alone begin with
//! their size and version, so that each side can tell an older other side;
//! elements of arrays have a fixed layout. Addresses are in bytes and ranges
//! exclude their end.

/// The version that every versioned structure carries.
pub const HVG_VERSION: u32 = 1;
/// A number of a proximity domain, node or vnode that stands for "none".
pub const HVG_NONE: u32 = 0xFFFF_FFFF;

/// A structure that begins with its size and version.
pub(crate) trait Versioned {}

macro_rules! versioned {
    ($($name:ty),* $(,)?) => { $(
        impl Versioned for $name {}
    )* };
}

versioned!(
    HvgError, HvgHost, HvgRequest, HvgGate, HvgLayout, HvgShape, HvgCpuid, HvgTrim, HvgStep,
    HvgTables, HvgPlaced, HvgVnuma,
);

/// Where a call failed. Optional everywhere: a null pointer takes no report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgError {
    /// sizeof(struct hvg_error).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// The rule that was broken, one of HVG_WHAT_*.
    pub what: u32,
    /// 0.
    pub reserved: u32,
    /// The element that the rule speaks of, or what there is of it.
    pub index: u64,
    /// What the element holds, or what would be needed.
    pub value: u64,
}

/// A memory block of the host, as its firmware's SRAT has it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgBlock {
    /// First byte.
    pub start: u64,
    /// Past the last byte.
    pub end: u64,
    /// The hypervisor's number of the node.
    pub node: u32,
    /// HVG_MEMORY_* flags.
    pub flags: u32,
}

/// The memory may be added or removed at run time.
pub const HVG_MEMORY_HOTPLUG: u32 = 1;
/// The memory keeps its contents without power.
pub const HVG_MEMORY_NONVOLATILE: u32 = 2;

/// An entry of a memory map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HvgE820 {
    /// First byte.
    pub start: u64,
    /// Past the last byte.
    pub end: u64,
    /// As E820 numbers them: 1 RAM, 2 reserved, 3 ACPI, 4 NVS, 5 unusable.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
}

/// A range of addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgRange {
    /// First byte.
    pub start: u64,
    /// Past the last byte.
    pub end: u64,
}

/// A range of a guest's memory on one of its nodes; the layout of Xen's
/// struct xen_vmemrange, whose flags must be 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HvgVmemrange {
    /// First byte.
    pub start: u64,
    /// Past the last byte.
    pub end: u64,
    /// 0.
    pub flags: u32,
    /// The vnode.
    pub nid: u32,
}

/// The machine, as its hypervisor knows it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgHost {
    /// sizeof(struct hvg_host).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// Memory blocks, ascending.
    pub blocks: *const HvgBlock,
    /// The memory map, ascending.
    pub e820: *const HvgE820,
    /// The valid pCPUs of dom0's pool, ascending: vCPU n sits on the n-th.
    pub pcpus: *const u32,
    /// The node of each of `pcpus`.
    pub pcpu_node: *const u32,
    /// The proximity domain of each node, by node number; HVG_NONE for no such node.
    pub node_pxm: *const u32,
    /// Distances by node number, nr_nodes squared, row by row; null for 10 and 20.
    pub distances: *const u8,
    /// Elements of `blocks`.
    pub nr_blocks: u32,
    /// Elements of `e820`.
    pub nr_e820: u32,
    /// Elements of `pcpus` and `pcpu_node`.
    pub nr_pcpus: u32,
    /// Elements of `node_pxm`.
    pub nr_nodes: u32,
}

/// What dom0 is to be.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgRequest {
    /// sizeof(struct hvg_request).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// vCPUs.
    pub vcpus: u32,
    /// pCPUs that dom0's vCPUs are to cover: those of its pool, or all of the machine.
    pub present_pcpus: u32,
    /// HVG_REQUEST_* flags.
    pub flags: u32,
    /// The highest APIC id that the guest can use; 254 under Xen.
    pub apic_id_limit: u32,
}

/// dom0 is PVH.
pub const HVG_REQUEST_PVH: u32 = 1;
/// Every vCPU has hard affinity to one pCPU.
pub const HVG_REQUEST_PINNED: u32 = 2;
/// Fewer vCPUs than pCPUs are taken too.
pub const HVG_REQUEST_PARTIAL: u32 = 4;

/// A condition of the gate.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HvgCondition {
    /// One of HVG_CONDITION_*.
    pub name: u32,
    /// 1 where it holds.
    pub ok: u32,
    /// What was found.
    pub value: u64,
    /// What it was held against.
    pub bound: u64,
}

/// dom0 is PVH: 0 or 1, against 1.
pub const HVG_CONDITION_PVH: u32 = 0;
/// vCPUs are pinned: 0 or 1, against 1.
pub const HVG_CONDITION_PINNED: u32 = 1;
/// vCPUs, against pCPUs.
pub const HVG_CONDITION_VCPUS_COVER_PCPUS: u32 = 2;
/// Nodes, against 2.
pub const HVG_CONDITION_NODES: u32 = 3;
/// Memory blocks, against the most that a layout holds.
pub const HVG_CONDITION_BLOCKS: u32 = 4;
/// The highest APIC id, against the limit.
pub const HVG_CONDITION_IDS_FIT: u32 = 5;
/// Number of conditions.
pub const HVG_CONDITIONS: usize = 6;

/// The gate's answer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgGate {
    /// sizeof(struct hvg_gate).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// 1 where every condition holds.
    pub enabled: u32,
    /// 0.
    pub reserved: u32,
    /// 4 KiB pages of RAM in no memory block; `blocks` holds only at 0.
    pub uncovered_pages: u64,
    /// By HVG_CONDITION_*.
    pub conditions: [HvgCondition; HVG_CONDITIONS],
}

/// A vNUMA layout in arrays that the caller lends. Where a pointer is null, or
/// its array too short, only the counts are filled in: a dry call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgLayout {
    /// sizeof(struct hvg_layout).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// Each vCPU's vnode.
    pub vcpu_to_vnode: *mut u32,
    /// Each vCPU's APIC id.
    pub apic_ids: *mut u32,
    /// Each vnode's host node; HVG_NONE for a gap.
    pub vnode_to_pnode: *mut u32,
    /// Each vnode's proximity domain; HVG_NONE for a gap.
    pub vnode_pxm: *mut u32,
    /// Distances by vnode, nr_vnodes squared, row by row.
    pub vdistance: *mut u32,
    /// Memory ranges, ascending.
    pub vmemranges: *mut HvgVmemrange,
    /// HVG_MEMORY_* flags of each of `vmemranges`.
    pub range_flags: *mut u32,
    /// Elements of `vcpu_to_vnode` and `apic_ids`: lent, then filled.
    pub nr_vcpus: u32,
    /// Elements of `vnode_to_pnode` and `vnode_pxm`: lent, then filled.
    pub nr_vnodes: u32,
    /// Elements of `vmemranges` and `range_flags`: lent, then filled.
    pub nr_vmemranges: u32,
    /// 0.
    pub reserved: u32,
}

/// A guest's layout, as XEN_DOMCTL_setvnumainfo takes it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgVnuma {
    /// sizeof(struct hvg_vnuma).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// Distances by vnode, nr_vnodes squared, row by row.
    pub vdistance: *const u32,
    /// Each vCPU's vnode.
    pub vcpu_to_vnode: *const u32,
    /// Memory ranges, ascending.
    pub vmemranges: *const HvgVmemrange,
    /// The guest's memory map, ascending; null where it is not known.
    pub e820: *const HvgE820,
    /// Vnodes.
    pub nr_vnodes: u32,
    /// Elements of `vcpu_to_vnode`.
    pub nr_vcpus: u32,
    /// Elements of `vmemranges`.
    pub nr_vmemranges: u32,
    /// Elements of `e820`.
    pub nr_e820: u32,
}

/// The shape of an APIC id encoding.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgShape {
    /// sizeof(struct hvg_shape).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// HVG_NUMBERING_*: which number of a node stands in the high bits.
    pub numbering: u32,
    /// Distance between the ids of neighbours, 1 or 2; 0 for `2 * vCPU`.
    pub stride: u32,
    /// The bit at which the package's number starts.
    pub pkg_shift: u32,
    /// vCPUs of the fullest node.
    pub max_per_node: u32,
    /// The highest id.
    pub highest: u32,
    /// 0.
    pub reserved: u32,
}

/// The node's proximity domain.
pub const HVG_NUMBERING_DOMAIN: u32 = 0;
/// The node's rank.
pub const HVG_NUMBERING_DENSE: u32 = 1;

/// Registers of a CPUID leaf.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HvgLeaf {
    /// EAX.
    pub a: u32,
    /// EBX.
    pub b: u32,
    /// ECX.
    pub c: u32,
    /// EDX.
    pub d: u32,
}

/// The leaves of a guest's CPUID policy that carry topology; null for what the
/// policy does not hold.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgCpuid {
    /// sizeof(struct hvg_cpuid).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// Leaf 1.
    pub leaf_1: *mut HvgLeaf,
    /// Leaf 4 by subleaf.
    pub leaf_4: *mut HvgLeaf,
    /// Leaf 0xB by subleaf.
    pub leaf_b: *mut HvgLeaf,
    /// Leaf 0x80000008.
    pub leaf_80000008: *mut HvgLeaf,
    /// Elements of `leaf_4`.
    pub nr_leaf_4: u32,
    /// Elements of `leaf_b`.
    pub nr_leaf_b: u32,
    /// One of HVG_VENDOR_*.
    pub vendor: u32,
    /// 0.
    pub reserved: u32,
}

/// Intel.
pub const HVG_VENDOR_INTEL: u32 = 0;
/// AMD.
pub const HVG_VENDOR_AMD: u32 = 1;
/// Hygon.
pub const HVG_VENDOR_HYGON: u32 = 2;

/// How dom0's memory map is cut to size.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgTrim {
    /// sizeof(struct hvg_trim).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// 4 KiB pages of RAM that dom0 gets.
    pub nr_pages: u64,
    /// Ranges that no trim cuts, ascending.
    pub keep: *const HvgRange,
    /// Elements of `keep`.
    pub nr_keep: u32,
    /// The most entries that may come out; pieces of a node are merged for it.
    pub max_entries: u32,
    /// Filled in: entries that came out, or would have.
    pub nr_entries: u32,
    /// Filled in: pieces that were merged to stay within `max_entries`.
    pub merged: u32,
}

/// The next allocation.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgStep {
    /// sizeof(struct hvg_step).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// The first guest frame.
    pub pfn: u64,
    /// log2 of the number of frames.
    pub order: u32,
    /// The host node to allocate from; HVG_NONE for any.
    pub node: u32,
    /// One of HVG_ALLOC_*.
    pub kind: u32,
    /// The host node that the frames belong on; HVG_NONE for none.
    pub home: u32,
}

/// Number of kinds.
pub const HVG_ALLOC_KINDS: u32 = 4;
/// From `node` alone, with dom0's flags.
pub const HVG_ALLOC_NODE: u32 = 0;
/// From `node` alone, its DMA reserve included.
pub const HVG_ALLOC_NODE_DMA: u32 = 1;
/// From any node, with dom0's flags.
pub const HVG_ALLOC_ANY: u32 = 2;
/// From any node, without flags.
pub const HVG_ALLOC_PLAIN: u32 = 3;
/// The largest order that is asked for: 4 GiB.
pub const HVG_MAX_ORDER: u32 = 20;

/// Host frames of one proximity domain.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgPxmRange {
    /// The first frame.
    pub start: u64,
    /// Past the last frame.
    pub end: u64,
    /// The proximity domain.
    pub pxm: u32,
}

/// The most frames that one XENMEM_get_mfn_pxms asks for.
pub const HVG_MFN_PXMS_MAX: u32 = 1024;

/// A range of memory for the SRAT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgMemory {
    /// First byte.
    pub start: u64,
    /// Past the last byte.
    pub end: u64,
    /// The proximity domain.
    pub pxm: u32,
    /// HVG_MEMORY_* flags.
    pub flags: u32,
}

/// A processor for MADT and SRAT; its ACPI UID is its place in the array.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgProcessor {
    /// Its APIC id.
    pub apic_id: u32,
    /// Its proximity domain; HVG_NONE for none.
    pub pxm: u32,
    /// HVG_PROCESSOR_* flags.
    pub flags: u32,
}

/// Absent at boot, may be added.
pub const HVG_PROCESSOR_ONLINE_CAPABLE: u32 = 1;

/// An I/O APIC for the MADT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgIoApic {
    /// Its id, at most 255.
    pub id: u32,
    /// Address of its registers.
    pub address: u32,
    /// Its first global system interrupt.
    pub gsi_base: u32,
}

/// An interrupt source override for the MADT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgOverride {
    /// ISA interrupt, at most 255.
    pub source: u32,
    /// Global system interrupt.
    pub gsi: u32,
    /// MPS INTI flags, as the MADT has them.
    pub flags: u32,
}

/// A local APIC's NMI input for the MADT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgNmi {
    /// The processor's UID; HVG_NONE for all.
    pub uid: u32,
    /// LINT input, 0 or 1.
    pub lint: u32,
    /// MPS INTI flags, as the MADT has them.
    pub flags: u32,
}

/// What the tables are to say.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgTables {
    /// sizeof(struct hvg_tables).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// The boot processor first.
    pub processors: *const HvgProcessor,
    /// Memory, ascending.
    pub memory: *const HvgMemory,
    /// The proximity domains of `distances`, ascending.
    pub distance_pxm: *const u32,
    /// Distances, nr_distances squared, row by row. Numbers above 254 become 254.
    pub distances: *const u32,
    /// I/O APICs.
    pub io_apics: *const HvgIoApic,
    /// Interrupt source overrides.
    pub overrides: *const HvgOverride,
    /// Local APICs' NMI inputs.
    pub nmis: *const HvgNmi,
    /// Addresses of further tables for the XSDT.
    pub foreign: *const u64,
    /// Elements of `processors`.
    pub nr_processors: u32,
    /// Elements of `memory`.
    pub nr_memory: u32,
    /// Elements of `distance_pxm`.
    pub nr_distances: u32,
    /// Elements of `io_apics`.
    pub nr_io_apics: u32,
    /// Elements of `overrides`.
    pub nr_overrides: u32,
    /// Elements of `nmis`.
    pub nr_nmis: u32,
    /// Elements of `foreign`.
    pub nr_foreign: u32,
    /// HVG_TABLES_* flags.
    pub flags: u32,
    /// The MADT's revision where the FADT is another's, else 0.
    pub madt_revision: u32,
    /// OEM revision of every header.
    pub oem_revision: u32,
    /// OEM id of every header.
    pub oem_id: [u8; 6],
    /// OEM table id of every header.
    pub oem_table_id: [u8; 8],
    /// 0.
    pub reserved: [u8; 2],
}

/// Also FADT, DSDT and FACS: all that a guest without firmware needs.
pub const HVG_TABLES_COMPLETE: u32 = 1;
/// Type 0 entries below APIC id 255, types 9 and 2 above; else types 9 and 2 for all.
pub const HVG_TABLES_HYBRID: u32 = 2;
/// MADT flag PCAT_COMPAT.
pub const HVG_TABLES_PCAT: u32 = 4;

/// The most tables that a set has, the RSDP counted.
pub const HVG_MAX_TABLES: usize = 8;

/// One table of a set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgTable {
    /// Its signature; "RSDP" for the RSDP.
    pub signature: [u8; 4],
    /// Its length in bytes.
    pub len: u32,
    /// Its address in the guest.
    pub address: u64,
}

/// Where the tables stand.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgPlaced {
    /// sizeof(struct hvg_placed).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// Address of the RSDP.
    pub rsdp: u64,
    /// Address of the MADT.
    pub madt: u64,
    /// Bytes of the whole set.
    pub len: u64,
    /// The tables as they lie in memory: each may be copied by itself.
    pub tables: [HvgTable; HVG_MAX_TABLES],
    /// Number of tables.
    pub nr_tables: u32,
    /// 0.
    pub reserved: u32,
}
