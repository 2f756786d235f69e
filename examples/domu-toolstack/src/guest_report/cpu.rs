//! CPUID as each processor answers it.

use std::arch::x86_64::__cpuid_count;
use std::io;

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::log::Log;

/// The leaves with the topology: each with the subleaves that are asked for.
const LEAVES: [(u32, u32); 6] =
    [(1, 0), (4, 3), (0xB, 0), (0xB, 1), (0x8000_0001, 0), (0x8000_0008, 0)];

/// A line for each processor that is online, with EAX to EDX of each leaf.
pub(crate) fn report(log: &mut Log) -> io::Result<()> {
    for cpu in 0..CpuSet::MAX_CPU {
        let mut set = CpuSet::new();
        set.set(cpu);
        if sched_setaffinity(None, &set).is_err() {
            continue;
        }
        let leaves: Vec<String> = LEAVES
            .iter()
            .map(|&(leaf, subleaf)| {
                let found = __cpuid_count(leaf, subleaf);
                let (a, b, c, d) = (found.eax, found.ebx, found.ecx, found.edx);
                format!("{leaf:x}.{subleaf}={a:x}/{b:x}/{c:x}/{d:x}")
            })
            .collect();
        log.line("cpuid", &format!("{cpu} {}", leaves.join(" ")))?;
    }
    Ok(())
}
