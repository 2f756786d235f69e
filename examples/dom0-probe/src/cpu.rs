//! CPUID on a chosen CPU.

use std::arch::x86_64::{__cpuid_count, CpuidResult};
use std::io;

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

/// The leaves that tell a CPU where it is: `initial-id` of leaf 1 (8 bits), then
/// for each level of leaf 0xB `type/shift/count`, and that leaf's id.
pub(crate) fn topology() -> String {
    let initial = __cpuid_count(1, 0).ebx >> 24;
    let levels: Vec<CpuidResult> = (0..2).map(|level| __cpuid_count(0xB, level)).collect();
    let shape: Vec<String> = levels
        .iter()
        .map(|level| {
            format!("{}/{}/{}", level.ecx >> 8 & 0xFF, level.eax & 0x1F, level.ebx & 0xFFFF)
        })
        .collect();
    let id = levels.first().map_or(0, |level| level.edx);
    let sizes = __cpuid_count(0x8000_0008, 0).ecx;
    format!("initial {initial} x2apic {id} levels {} ecx8 {sizes:#x}", shape.join(" "))
}
