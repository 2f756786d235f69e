//! A dom0's host, request, gate, memory map and allocations.

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
