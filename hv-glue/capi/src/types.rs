//! The structures that cross the C border. Those that stand alone begin with
//! their size and version, so that each side can tell an older other side;
//! elements of arrays have a fixed layout. Addresses are in bytes and ranges
//! exclude their end.

/// The version that every versioned structure carries.
pub const HVG_VERSION: u32 = 1;
/// No proximity domain, node or vnode.
pub const HVG_NONE: u32 = 0xFFFF_FFFF;

/// The most vnodes of a guest.
pub const HVG_MAX_VNODES: usize = 32;

/// A structure that begins with its size and version.
pub(crate) trait Versioned {}

macro_rules! versioned {
    ($($name:ty),* $(,)?) => { $(
        impl Versioned for $name {}
    )* };
}

versioned!(
    HvgError, HvgHost, HvgRequest, HvgGate, HvgMap, HvgLayout, HvgShape, HvgCpuid, HvgStep,
    HvgGuest, HvgTables, HvgPlaced,
);

/// Where a call failed; hvg_strerror() has the words. Optional everywhere: a null pointer
/// takes no report.
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
    /// An element, or a bound.
    pub index: u64,
    /// The number that is wrong.
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
    /// The most elements that the arrays of struct hvg_tables will have together.
    pub max_elements: u32,
}

/// dom0 is PVH.
pub const HVG_REQUEST_PVH: u32 = 1;
/// Every vCPU has hard affinity to one pCPU.
pub const HVG_REQUEST_PINNED: u32 = 2;
/// Fewer vCPUs than pCPUs are taken too.
pub const HVG_REQUEST_PARTIAL: u32 = 4;

/// The gate's answer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgGate {
    /// sizeof(struct hvg_gate).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// 1 where dom0 gets vNUMA; else hvg_plan_unmet() says why not.
    pub enabled: u32,
    /// Nodes of the layout; this and the rest 0 without one.
    pub nr_nodes: u32,
    /// Vnodes of the layout: its nodes and gaps.
    pub nr_vnodes: u32,
    /// Memory ranges of the layout.
    pub nr_vmemranges: u32,
}

/// dom0's memory map: its size in, its entries out.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgMap {
    /// sizeof(struct hvg_map).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// 4 KiB pages of RAM that dom0 gets.
    pub nr_pages: u64,
    /// Bytes of kernel and modules.
    pub modules: u64,
    /// The trimmed map, ascending; null to get the numbers alone.
    pub entries: *mut HvgE820,
    /// Elements of `entries`; then, entries of the map.
    pub nr_entries: u32,
    /// Filled in: 1 where RAM is shared over the nodes, 0 where it is in address order.
    pub by_node: u32,
    /// Filled in: nodes whose pieces were merged to keep the map short.
    pub merged: u32,
    /// 0.
    pub reserved: u32,
    /// Filled in: the end of the ranges that no node's share cuts.
    pub kept_up_to: u64,
    /// Filled in: pages of dom0's RAM below 4 GiB.
    pub low_pages: u64,
    /// Filled in: the least of these that a dom0 of this size gets where RAM is shared over
    /// the nodes, as far as the host has them.
    pub low_floor: u64,
}

/// The most entries of a map that is shared over the nodes.
pub const HVG_MAP_ENTRIES: u32 = 120;

/// A vNUMA layout in the caller's arrays, of which null ones are skipped.
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
    /// Each vnode's host node; HVG_NONE for a gap or any.
    pub vnode_to_pnode: *mut u32,
    /// Distances by vnode, nr_vnodes squared, row by row.
    pub vdistance: *mut u32,
    /// Memory ranges, ascending; those of a guest that it has at boot.
    pub vmemranges: *mut HvgVmemrange,
    /// Elements of `vcpu_to_vnode` and `apic_ids`; then, vCPUs.
    pub nr_vcpus: u32,
    /// Elements of `vnode_to_pnode`, and the side of `vdistance`; then, vnodes.
    pub nr_vnodes: u32,
    /// Elements of `vmemranges`; then, memory ranges.
    pub nr_vmemranges: u32,
    /// 0.
    pub reserved: u32,
}

/// The shape of an APIC id encoding.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgShape {
    /// sizeof(struct hvg_shape).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// HVG_NUMBERING_*: which number of a node the high bits have.
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

/// A range of a guest's memory.
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

/// A vCPU of a guest; its ACPI UID is its place in the array.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgProcessor {
    /// Its proximity domain.
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

/// A guest, as its toolstack asks for it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgGuest {
    /// sizeof(struct hvg_guest).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// The vCPUs.
    pub processors: *const HvgProcessor,
    /// Memory, ascending, on whole pages.
    pub memory: *const HvgMemory,
    /// The proximity domains of `distances`, ascending.
    pub distance_pxm: *const u32,
    /// Distances, nr_distances squared, row by row. Numbers above 254 become 254.
    pub distances: *const u32,
    /// The host node of each proximity domain, ascending; null for any.
    pub pnodes: *const u32,
    /// Elements of `processors`.
    pub nr_processors: u32,
    /// Elements of `memory`.
    pub nr_memory: u32,
    /// Elements of `distance_pxm`.
    pub nr_distances: u32,
    /// Elements of `pnodes`.
    pub nr_pnodes: u32,
    /// The most elements that the arrays of struct hvg_tables will have together.
    pub max_elements: u32,
    /// 0.
    pub reserved: u32,
}

/// What a plan's tables say besides the plan.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HvgTables {
    /// sizeof(struct hvg_tables).
    pub size: u32,
    /// HVG_VERSION.
    pub version: u32,
    /// I/O APICs.
    pub io_apics: *const HvgIoApic,
    /// Interrupt source overrides.
    pub overrides: *const HvgOverride,
    /// Local APICs' NMI inputs.
    pub nmis: *const HvgNmi,
    /// Addresses of further tables for the XSDT.
    pub tables: *const u64,
    /// Elements of `io_apics`.
    pub nr_io_apics: u32,
    /// Elements of `overrides`.
    pub nr_overrides: u32,
    /// Elements of `nmis`.
    pub nr_nmis: u32,
    /// Elements of `tables`.
    pub nr_tables: u32,
    /// HVG_TABLES_* flags.
    pub flags: u32,
    /// For a dom0: the revision of the host's MADT.
    pub madt_revision: u32,
    /// OEM revision of every header.
    pub oem_revision: u32,
    /// OEM id of every header.
    pub oem_id: [u8; 6],
    /// OEM table id of every header.
    pub oem_table_id: [u8; 8],
    /// 0.
    pub reserved: [u8; 6],
}

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

/// Where the tables are.
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
    /// The tables in the order of their addresses: each may be copied by itself.
    pub tables: [HvgTable; HVG_MAX_TABLES],
    /// Number of tables.
    pub nr_tables: u32,
    /// 0.
    pub reserved: u32,
}
