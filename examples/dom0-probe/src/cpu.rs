//! CPUID on a chosen CPU.

use std::arch::asm;
use std::arch::x86_64::CpuidResult;
use std::{fs, io};

/// The CPUs that are online.
pub(crate) fn online() -> Vec<usize> {
    // SAFETY: sysconf reads no memory of ours.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
    let count = usize::try_from(count).unwrap_or(0);
    (0..count).filter(|cpu| bind(*cpu).is_ok()).collect()
}

/// Runs `what` on a CPU; the thread stays there.
pub(crate) fn on<T>(cpu: usize, what: impl FnOnce() -> T) -> io::Result<T> {
    bind(cpu)?;
    Ok(what())
}

fn bind(cpu: usize) -> io::Result<()> {
    // SAFETY: a cpu_set_t is an array of integers, for which all zeros is a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: CPU_SET ignores numbers above the set's size.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the set lives across the call, which reads as many bytes as it has.
    match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The leaves that tell a CPU where it is, as this instruction has them: `initial-id`
/// of leaf 1 (8 bits), then for each level of leaf 0xB `type/shift/count`, and that
/// leaf's id.
pub(crate) fn topology(cpuid: impl Fn(u32, u32) -> CpuidResult) -> String {
    let initial = cpuid(1, 0).ebx >> 24;
    let levels: Vec<CpuidResult> = (0..2).map(|level| cpuid(0xB, level)).collect();
    let shape: Vec<String> = levels
        .iter()
        .map(|level| {
            format!("{}/{}/{}", level.ecx >> 8 & 0xFF, level.eax & 0x1F, level.ebx & 0xFFFF)
        })
        .collect();
    let id = levels.first().map_or(0, |level| level.edx);
    let sizes = cpuid(0x8000_0008, 0).ecx;
    format!("initial {initial} x2apic {id} levels {} ecx8 {sizes:#x}", shape.join(" "))
}

/// CPUID as Xen has it for a PV guest, whose plain instruction is the hardware's own
/// where that cannot trap it.
pub(crate) struct Emulated(());

impl Emulated {
    /// Nothing but in a PV guest. Linux, Documentation/ABI/stable/sysfs-hypervisor-xen.
    pub(crate) fn new() -> Option<Self> {
        let kind = fs::read_to_string("/sys/hypervisor/guest_type").ok()?;
        (kind.trim() == "PV").then_some(Self(()))
    }

    /// XEN_CPUID of Xen public/arch-x86/xen.h: a prefix that faults, then CPUID.
    pub(crate) fn cpuid(&self, leaf: u32, subleaf: u32) -> CpuidResult {
        let (eax, ebx, ecx, edx);
        // SAFETY: in a PV guest, which `new` has seen, Xen carries these bytes out as one
        // CPUID instruction: it writes the four registers and no memory. RBX is LLVM's own
        // and comes back as it was.
        unsafe {
            asm!(
                "mov {kept:r}, rbx",
                ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e",
                "cpuid",
                "xchg {kept:r}, rbx",
                kept = out(reg) ebx,
                inout("eax") leaf => eax,
                inout("ecx") subleaf => ecx,
                out("edx") edx,
                options(nostack, preserves_flags),
            );
        }
        CpuidResult { eax, ebx, ecx, edx }
    }
}
