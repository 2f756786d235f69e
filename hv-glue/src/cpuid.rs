//! The CPUID leaves that must agree with the APIC ids, by vendor.
//!
//! All come from one [`PackageShape`]: a package and a last-level cache for each
//! vnode, at any count. Layouts are from Intel's SDM, volume 2, CPUID, and AMD's
//! APM, volume 3, appendix E.

use acpi_gen::ApicId;

use crate::{Error, PackageShape};

/// The registers of one leaf and subleaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Leaf {
    /// EAX.
    pub eax: u32,
    /// EBX.
    pub ebx: u32,
    /// ECX.
    pub ecx: u32,
    /// EDX.
    pub edx: u32,
}

/// Whose topology leaves a guest's kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Leaf 4 counts cores and caches.
    Intel,
    /// 0x80000008 ECX counts cores.
    Amd,
    /// As AMD.
    Hygon,
}

/// A field that may be too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuidField {
    /// Leaf 4 EAX\[25:14\], ids that share a cache, less 1.
    CacheSharing,
    /// 0x80000008 ECX\[15:12\], `ApicIdCoreIdSize`.
    ApicIdCoreIdSize,
    /// EAX\[4:0\] of leaf 0xB, 0x1F and 0x80000026.
    LevelShift,
    /// EBX\[15:0\] of leaf 0xB, 0x1F and 0x80000026.
    LevelCount,
}

impl CpuidField {
    /// The field as the manuals write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CacheSharing => "CPUID leaf 4 EAX[25:14] + 1",
            Self::ApicIdCoreIdSize => "CPUID leaf 0x80000008 ECX[15:12]",
            Self::LevelShift => "CPUID leaf 0xB EAX[4:0]",
            Self::LevelCount => "CPUID leaf 0xB EBX[15:0]",
        }
    }
}

/// The leaves of a guest's policy that carry its topology. What the policy
/// cannot hold is left out: an empty slice, or `None`.
#[derive(Debug)]
pub struct PolicyLeaves<'a> {
    /// Leaf 1.
    pub leaf_1: &'a mut Leaf,
    /// Leaf 4 by subleaf (Intel).
    pub leaf_4: &'a mut [Leaf],
    /// Leaf 0xB by subleaf, 2 of which are written.
    pub leaf_b: &'a mut [Leaf],
    /// Leaf 0x80000008 (AMD, Hygon).
    pub leaf_80000008: Option<&'a mut Leaf>,
}

/// Level types of leaf 0xB and 0x1F (SDM) and of 0x80000026 (APM).
mod level {
    pub(super) const SMT: u32 = 1;
    pub(super) const CORE: u32 = 2;
    pub(super) const AMD_CORE: u32 = 1;
    pub(super) const AMD_COMPLEX: u32 = 2;
    pub(super) const AMD_DIE: u32 = 3;
    pub(super) const AMD_SOCKET: u32 = 4;
}

/// Makes the policy say what `shape` says. Nothing is written on an error. The
/// per-vCPU parts come from [`patch_vcpu`].
///
/// # Errors
/// [`Error::CpuidFieldOverflow`]: on AMD and Hygon a window above 2^15, on Intel
/// more than 4,096 ids in a package, anywhere more than 65,535 vCPUs in one.
pub fn patch_policy(
    vendor: Vendor,
    shape: PackageShape,
    leaves: PolicyLeaves<'_>,
) -> Result<(), Error> {
    let per_node = shape.max_per_node();
    let ids = shape.ids_per_package();
    let levels = [smt_level(shape), core_level(shape)?];
    let in_package = match vendor {
        Vendor::Intel => {
            field(CpuidField::CacheSharing, ids, 4096)?;
            ids
        }
        Vendor::Amd | Vendor::Hygon => {
            field(CpuidField::ApicIdCoreIdSize, shape.pkg_shift(), 15)?;
            per_node
        }
    };

    put(&mut leaves.leaf_1.ebx, 16, 8, in_package.min(255));
    for (slot, level) in leaves.leaf_b.iter_mut().zip(levels) {
        *slot = level;
    }
    match vendor {
        Vendor::Intel => patch_caches(leaves.leaf_4, shape),
        Vendor::Amd | Vendor::Hygon => {
            if let Some(leaf) = leaves.leaf_80000008 {
                put(&mut leaf.ecx, 0, 8, per_node.saturating_sub(1).min(255));
                put(&mut leaf.ecx, 12, 4, shape.pkg_shift());
            }
        }
    }
    Ok(())
}

/// Puts a vCPU's id into what [`patch_policy`] left: EBX\[31:24\] of leaf 1, EDX
/// of leaf 0xB, 0x1F and 0x80000026, each at any subleaf. Other leaves stay.
pub fn patch_vcpu(leaf: u32, id: ApicId, registers: &mut Leaf) {
    match leaf {
        1 => put(&mut registers.ebx, 24, 8, id.0 & 0xFF),
        0xB | 0x1F | 0x8000_0026 => registers.edx = id.0,
        _ => {}
    }
}

/// A subleaf of leaf 0x1F, for hypervisors whose policy can hold it: the two
/// levels of leaf 0xB, then none.
///
/// # Errors
/// [`Error::CpuidFieldOverflow`].
pub fn leaf_1f(shape: PackageShape, subleaf: u32, id: ApicId) -> Result<Leaf, Error> {
    let leaf = match subleaf {
        0 => smt_level(shape),
        1 => core_level(shape)?,
        // SDM: invalid levels have type 0, and EDX holds the id all the same.
        _ => Leaf { ecx: subleaf & 0xFF, ..Leaf::default() },
    };
    Ok(Leaf { edx: id.0, ..leaf })
}

/// A subleaf of leaf 0x80000026, for hypervisors whose policy can hold it: core,
/// complex, die and socket, of which the last three are the package.
///
/// # Errors
/// [`Error::CpuidFieldOverflow`].
pub fn leaf_80000026(shape: PackageShape, subleaf: u32, id: ApicId) -> Result<Leaf, Error> {
    let package = core_level(shape)?;
    let (of, kind) = match subleaf {
        0 => (smt_level(shape), level::AMD_CORE),
        1 => (package, level::AMD_COMPLEX),
        2 => (package, level::AMD_DIE),
        3 => (package, level::AMD_SOCKET),
        _ => (Leaf::default(), 0),
    };
    Ok(Leaf { ecx: kind << 8 | (subleaf & 0xFF), edx: id.0, ..of })
}

/// One thread in a core; at stride 2 the core has room for a second.
const fn smt_level(shape: PackageShape) -> Leaf {
    let shift = shape.stride().get().saturating_sub(1);
    Leaf { eax: shift, ebx: 1, ecx: level::SMT << 8, edx: 0 }
}

fn core_level(shape: PackageShape) -> Result<Leaf, Error> {
    let eax = field(CpuidField::LevelShift, shape.pkg_shift(), 31)?;
    let ebx = field(CpuidField::LevelCount, shape.max_per_node(), 0xFFFF)?;
    Ok(Leaf { eax, ebx, ecx: level::CORE << 8 | 1, edx: 0 })
}

/// Leaf 4: EAX\[4:0\] type (0: none), \[7:5\] level, \[25:14\] ids that share the
/// cache less 1, \[31:26\] cores of the package less 1.
fn patch_caches(subleaves: &mut [Leaf], shape: PackageShape) {
    let valid = |leaf: &&mut Leaf| leaf.eax & 0x1F != 0;
    let last = subleaves.iter_mut().filter(valid).map(|leaf| leaf.eax >> 5 & 7).max();
    let sharing = shape.ids_per_package().saturating_sub(1);
    for leaf in subleaves.iter_mut().filter(valid) {
        // Linux takes ceil(log2(value + 1)) for the shift, so the last level's
        // value counts ids, not vCPUs; a level below must not pass the package.
        // At stride 1 a core has one id where the host's policy counts two.
        let own = (leaf.eax >> 14 & 0xFFF) >> 2_u32.saturating_sub(shape.stride().get());
        let shared = if Some(leaf.eax >> 5 & 7) == last { sharing } else { own.min(sharing) };
        put(&mut leaf.eax, 14, 12, shared);
        // Every subleaf says it, and Linux reads it in the first.
        put(&mut leaf.eax, 26, 6, shape.max_per_node().saturating_sub(1).min(63));
    }
}

const fn field(field: CpuidField, value: u32, max: u32) -> Result<u32, Error> {
    if value > max { Err(Error::CpuidFieldOverflow { field, value, max }) } else { Ok(value) }
}

/// Replaces `bits` bits of a register from bit `at` on.
const fn put(register: &mut u32, at: u32, bits: u32, value: u32) {
    let ones = match 1_u32.checked_shl(bits) {
        Some(above) => above.saturating_sub(1),
        None => u32::MAX,
    };
    *register = *register & !(ones << at) | (value & ones) << at;
}
