//! How a Linux guest groups CPUs, from the documents: CPUID in Intel's SDM
//! (volume 2, and volume 3 chapter "Detecting Hardware Multi-Threading Support
//! and Topology"), AMD's APM (volume 3, appendix E) and Linux's
//! Documentation/arch/x86/topology.rst: packages and caches are what is left of
//! an APIC id when it is shifted by a width that CPUID gives.

use std::prelude::rust_2024::*;
use std::vec;

use crate::PackageShape;
use crate::cpuid::{Leaf, PolicyLeaves, Vendor, patch_policy};
use acpi_gen::ApicId;

/// The leaves as a guest sees them, apart from its id.
#[derive(Clone, Debug)]
pub(crate) struct Cpuid {
    pub(crate) leaf_1: Leaf,
    pub(crate) leaf_4: Vec<Leaf>,
    pub(crate) leaf_b: Vec<Leaf>,
    pub(crate) leaf_80000008: Leaf,
}

/// What Linux makes of a CPU's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// By leaf 0xB: `topology.rst`, "pkg_id".
    pub(crate) package: u32,
    /// By the older leaves: 1 and 4, or 0x80000008.
    pub(crate) package_by_old_leaves: u32,
    /// CPUs of one number share a last-level cache.
    pub(crate) llc: u32,
}

/// The shifts that a guest takes from its leaves once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shifts {
    pub(crate) package: u32,
    pub(crate) package_by_old_leaves: u32,
    pub(crate) llc: u32,
}

impl Cpuid {
    /// A host's leaves before the patch, with another topology in them: 16 ids to
    /// a package on Intel with three levels of cache, 64 cores on AMD.
    pub(crate) fn of_host(vendor: Vendor) -> Self {
        let cache = |kind: u32, level: u32, sharing: u32| Leaf {
            eax: 15 << 26 | (sharing - 1) << 14 | level << 5 | kind,
            ..Leaf::default()
        };
        Self {
            leaf_1: Leaf { ebx: 0x0010_0800, ..Leaf::default() },
            leaf_4: match vendor {
                Vendor::Intel => {
                    let (l1d, l1i) = (cache(1, 1, 2), cache(2, 1, 2));
                    vec![l1d, l1i, cache(3, 2, 8), cache(3, 3, 16), Leaf::default()]
                }
                _ => vec![],
            },
            leaf_b: vec![Leaf::default(); 2],
            leaf_80000008: Leaf { eax: 0x3030, ecx: 0x603F, ..Leaf::default() },
        }
    }

    pub(crate) fn patched(vendor: Vendor, shape: PackageShape) -> Result<Self, crate::Error> {
        let mut cpuid = Self::of_host(vendor);
        let leaves = PolicyLeaves {
            leaf_1: &mut cpuid.leaf_1,
            leaf_4: &mut cpuid.leaf_4,
            leaf_b: &mut cpuid.leaf_b,
            leaf_80000008: Some(&mut cpuid.leaf_80000008),
        };
        patch_policy(vendor, shape, leaves)?;
        Ok(cpuid)
    }

    pub(crate) fn shifts(&self, vendor: Vendor) -> Shifts {
        // SDM: sub-leaves are enumerated until one has type 0; the last level's
        // shift leaves the package.
        let levels = self.leaf_b.iter().take_while(|leaf| leaf.ecx >> 8 & 0xFF != 0);
        let package = levels.last().map_or(0, |leaf| leaf.eax & 0x1F);
        match vendor {
            Vendor::Intel => {
                // SDM: the width of a field of n ids is log2 of n, rounded up to
                // a power of two.
                let last = self.leaf_4.iter().filter(|leaf| leaf.eax & 0x1F != 0);
                let last = last.max_by_key(|leaf| leaf.eax >> 5 & 7).unwrap();
                Shifts {
                    package,
                    package_by_old_leaves: width(self.leaf_1.ebx >> 16 & 0xFF),
                    llc: width((last.eax >> 14 & 0xFFF) + 1),
                }
            }
            Vendor::Amd | Vendor::Hygon => {
                // APM: ApicIdCoreIdSize is the width of the core number; where
                // it is 0, the number of cores says it. The cache is the package:
                // 0x8000001D is not there.
                let ecx = self.leaf_80000008.ecx;
                let size = ecx >> 12 & 0xF;
                let old = if size == 0 { width((ecx & 0xFF) + 1) } else { size };
                Shifts { package, package_by_old_leaves: old, llc: package }
            }
        }
    }
}

impl Shifts {
    pub(crate) fn place(&self, id: ApicId) -> Place {
        Place {
            package: id.0 >> self.package,
            package_by_old_leaves: id.0 >> self.package_by_old_leaves,
            llc: id.0 >> self.llc,
        }
    }
}

/// Bits that number `values` things.
fn width(values: u32) -> u32 {
    values.max(1).next_power_of_two().trailing_zeros()
}
