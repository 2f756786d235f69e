//! A guest as its toolstack requests it.

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
