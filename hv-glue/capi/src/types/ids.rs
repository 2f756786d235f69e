//! Layouts, APIC ids and CPUID leaves.

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
