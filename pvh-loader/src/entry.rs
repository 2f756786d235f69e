//! The state in which a PVH kernel is entered, as data.
//! Xen docs/misc/pvh.pandoc, "x86/HVM direct boot ABI".

use acpi_gen::Gpa;

/// CR0.PE, protected mode: the only bit of CR0 that is set.
const CR0_PE: u32 = 1 << 0;
/// EFLAGS bit 1 always reads as one. Intel SDM volume 1, 3.4.3.
const EFLAGS_FIXED: u32 = 1 << 1;

/// A segment register's hidden part, and the descriptor that loads it.
/// Intel SDM volume 3A, 3.4.5 and 7.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentState {
    /// The segment's first linear address.
    pub base: u32,
    /// Its last offset.
    pub limit: u32,
    /// The 8-byte entry of a descriptor table that says this.
    pub descriptor: u64,
}

impl SegmentState {
    /// 32-bit code, read and execute, all 4 GiB.
    const CODE: Self = Self { base: 0, limit: u32::MAX, descriptor: 0x00CF_9B00_0000_FFFF };
    /// 32-bit data, read and write, all 4 GiB.
    const DATA: Self = Self { base: 0, limit: u32::MAX, descriptor: 0x00CF_9300_0000_FFFF };
    /// A 32-bit task state segment. The descriptor says "available": loading the
    /// task register (LTR) is what makes it active.
    const TASK: Self = Self { base: 0, limit: 0x67, descriptor: 0x0000_8900_0000_0067 };
}

/// The registers that the PVH ABI requires; it says nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryState {
    /// The kernel's 32-bit entry point.
    pub eip: u32,
    /// The address of `hvm_start_info`.
    pub ebx: u32,
    /// Protected mode, no paging.
    pub cr0: u32,
    /// All clear.
    pub cr4: u32,
    /// Virtual-8086 mode, interrupts and single steps off.
    pub eflags: u32,
    /// The code segment.
    pub cs: SegmentState,
    /// DS, ES and SS.
    pub data: SegmentState,
    /// The task register.
    pub tr: SegmentState,
}

impl EntryState {
    /// The state for a kernel entered at `entry` with its start info at
    /// `start_info`, or `None` where one of them is not below 4 GiB.
    pub(crate) fn new(entry: Gpa, start_info: Gpa) -> Option<Self> {
        Some(Self {
            eip: u32::try_from(entry.0).ok()?,
            ebx: u32::try_from(start_info.0).ok()?,
            cr0: CR0_PE,
            cr4: 0,
            eflags: EFLAGS_FIXED,
            cs: SegmentState::CODE,
            data: SegmentState::DATA,
            tr: SegmentState::TASK,
        })
    }
}
