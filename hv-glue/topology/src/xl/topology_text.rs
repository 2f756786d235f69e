//! An xl configuration as a topology file.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use core::fmt::Write;
use core::ops::RangeInclusive;

use acpi_gen::{Gpa, GpaRange};

use super::XlConfig;
use crate::FileError;

/// Guests have no RAM from here to 4 GiB: HVM_BELOW_4G_RAM_END, Xen public/hvm/e820.h.
const RAM_END_BELOW_4G: u64 = 0xF000_0000;
const FOUR_GIB: u64 = 1 << 32;
const MIB: u64 = 1 << 20;

impl XlConfig {
    /// The topology file that says the same: a vnode's number is its proximity domain,
    /// vCPUs from `vcpus=` on are absent at boot, and memory goes from address 0 up
    /// around the gap that Xen's guests have below 4 GiB; video memory is taken off vnode 0. What a topology does not have,
    /// host nodes and CPUs, stands in it as comments.
    ///
    /// # Errors
    /// Memory that does not end below 2^64.
    pub fn topology_text(&self) -> Result<String, FileError> {
        let mut out = String::new();
        out.push_str("# From an xl configuration.\n");
        if !self.cpus.is_empty() {
            let _infallible = writeln!(out, "# cpus: {}", self.cpus.join(" | "));
        }
        let mut next = 0_u64;
        for (pxm, vnode) in self.vnodes.iter().enumerate() {
            let _infallible = writeln!(out, "\n[[node]]\npxm = {pxm}");
            if let Some(pnode) = vnode.pnode {
                let _infallible = writeln!(out, "# pnode {pnode}");
            }
            let last_online = self.vcpus.saturating_sub(1);
            for (key, from, to) in
                [("cpus", 0, last_online), ("cpus_hotplug", self.vcpus, u32::MAX)]
            {
                let list = cpulist(&vnode.vcpus, from, to);
                if !list.is_empty() {
                    let _infallible = writeln!(out, "{key} = \"{list}\"");
                }
            }
            let too_large = || FileError {
                line: vnode.line,
                what: format!("vnode {pxm}: {} MiB do not end below 2^64", vnode.size),
            };
            // libxl counts video memory as vnode 0's (libxl__vnuma_build_vmemrange_hvm).
            let video = if pxm == 0 { self.video_memory } else { 0 };
            if video > 0 {
                let _infallible = writeln!(out, "# {video} MiB less: video memory");
            }
            let mib = vnode.size.saturating_sub(video);
            let bytes = mib.checked_mul(MIB).ok_or_else(too_large)?;
            let ranges = place(&mut next, bytes).ok_or_else(too_large)?;
            let ranges: Vec<String> = ranges
                .iter()
                .map(|range| format!("\"{:#x}-{:#x}\"", range.start().0, range.end().0))
                .collect();
            let _infallible = writeln!(out, "memory = [{}]", ranges.join(", "));
        }
        let _infallible = writeln!(out, "\n[distance]\nmatrix = [");
        for vnode in &self.vnodes {
            let _infallible = writeln!(out, "    {:?},", vnode.distances);
        }
        out.push_str("]\n");
        Ok(out)
    }
}

/// The next `bytes` of RAM: one range, or two where the gap lies between.
fn place(next: &mut u64, bytes: u64) -> Option<Vec<GpaRange>> {
    let mut ranges = Vec::new();
    let mut left = bytes;
    while left > 0 {
        let limit = if *next < RAM_END_BELOW_4G { RAM_END_BELOW_4G } else { u64::MAX };
        let size = left.min(limit.saturating_sub(*next));
        let range = GpaRange::with_size(Gpa(*next), size).ok()?;
        ranges.push(range);
        left = left.saturating_sub(size);
        *next = if range.end().0 == RAM_END_BELOW_4G { FOUR_GIB } else { range.end().0 };
    }
    Some(ranges)
}

/// The numbers of `ranges` from `from` to `to`, as a cpulist.
fn cpulist(ranges: &[RangeInclusive<u32>], from: u32, to: u32) -> String {
    let parts: Vec<String> = ranges
        .iter()
        .map(|range| (*range.start().max(&from), *range.end().min(&to)))
        .filter(|(first, last)| first <= last)
        .map(
            |(first, last)| {
                if first == last { first.to_string() } else { format!("{first}-{last}") }
            },
        )
        .collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn bounds(next: u64, mib: u64) -> (Vec<(u64, u64)>, u64) {
        let mut next = next;
        let ranges = place(&mut next, mib << 20).unwrap();
        (ranges.iter().map(|range| (range.start().0, range.end().0)).collect(), next)
    }

    #[test]
    fn memory_goes_around_the_gap() {
        assert_eq!(bounds(0, 512), (vec![(0, 0x2000_0000)], 0x2000_0000));
        assert_eq!(bounds(0, 3840), (vec![(0, 0xF000_0000)], 0x1_0000_0000));
        assert_eq!(
            bounds(0xE000_0000, 512),
            (vec![(0xE000_0000, 0xF000_0000), (0x1_0000_0000, 0x1_1000_0000)], 0x1_1000_0000)
        );
        assert_eq!(bounds(0x1_0000_0000, 1), (vec![(0x1_0000_0000, 0x1_0010_0000)], 0x1_0010_0000));
        assert!(place(&mut 0, u64::MAX).is_none());
    }

    #[test]
    fn lists_are_cut_at_the_online_vcpus() {
        let ranges = [0..=2, 5..=5, 7..=9];
        assert_eq!(cpulist(&ranges, 0, 7), "0-2,5,7");
        assert_eq!(cpulist(&ranges, 8, u32::MAX), "8-9");
        assert_eq!(cpulist(&ranges, 10, u32::MAX), "");
    }
}
