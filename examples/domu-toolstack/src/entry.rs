//! The state in which vCPU 0 starts, as Xen saves and restores it.

use pvh_loader::{EntryState, SegmentState};
use xen_hypercall::{DomainId, HvmCpu, HvmMtrr, Record, RecordWriter, Xen, records};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use crate::failure::Failure;

/// CR0.ET, which always reads as one. Intel SDM volume 3A, 2.5.
const CR0_ET: u64 = 1 << 4;
/// Reset values of the debug registers. Intel SDM volume 3A, table 10-1.
const DR6: u64 = 0xFFFF_0FF0;
const DR7: u64 = 0x400;
/// MTRRdefType: enabled, write-back. Intel SDM volume 3A, 12.11.2.1.
const MTRR_WRITE_BACK: u64 = 1 << 11 | 6;
/// A task that LTR has loaded is busy: bit 1 of the type.
const BUSY: u32 = 1 << 1;

/// Puts the entry state into vCPU 0 and write-back memory into all vCPUs: a PVH guest has
/// no firmware that would set its MTRRs.
pub(crate) fn set(xen: &Xen, domain: DomainId, entry: &EntryState) -> Result<(), Failure> {
    let state = xen.hvm_context(domain)?;
    let mut writer = RecordWriter::with_header_of(&state)?;
    let cpu = boot_cpu(entry);
    writer.push(&Record { typecode: HvmCpu::TYPE, instance: 0, bytes: cpu.as_bytes() });
    for record in records(&state)?.iter().filter(|record| record.typecode == HvmMtrr::TYPE) {
        let Ok((mut mtrr, _)) = HvmMtrr::read_from_prefix(record.bytes) else { continue };
        mtrr.msr_mtrr_def_type = MTRR_WRITE_BACK;
        writer.push(&Record { bytes: mtrr.as_bytes(), ..*record });
    }
    Ok(xen.set_hvm_context(domain, &writer.finish())?)
}

/// A descriptor's type, S, DPL, P and AVL, L, D, G: Xen's "access rights".
const fn access_rights(segment: &SegmentState) -> u32 {
    let [_, _, _, _, _, low, high, _] = segment.descriptor.to_le_bytes();
    u32::from_le_bytes([low, high >> 4, 0, 0])
}

fn boot_cpu(entry: &EntryState) -> HvmCpu {
    let mut cpu = HvmCpu::new_zeroed();
    cpu.rip = entry.eip.into();
    cpu.rbx = entry.ebx.into();
    cpu.cr0 = u64::from(entry.cr0) | CR0_ET;
    cpu.cr4 = entry.cr4.into();
    cpu.rflags = entry.eflags.into();
    cpu.dr6 = DR6;
    cpu.dr7 = DR7;
    (cpu.cs_base, cpu.cs_limit) = (entry.cs.base.into(), entry.cs.limit);
    cpu.cs_arbytes = access_rights(&entry.cs);
    let data = (u64::from(entry.data.base), entry.data.limit, access_rights(&entry.data));
    (cpu.ds_base, cpu.ds_limit, cpu.ds_arbytes) = data;
    (cpu.es_base, cpu.es_limit, cpu.es_arbytes) = data;
    (cpu.ss_base, cpu.ss_limit, cpu.ss_arbytes) = data;
    (cpu.tr_base, cpu.tr_limit) = (entry.tr.base.into(), entry.tr.limit);
    cpu.tr_arbytes = access_rights(&entry.tr) | BUSY;
    cpu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_have_the_rights_that_xen_expects() {
        // As xc_dom_x86.c names them for PVH: 0xc9b, 0xc93, 0x8b.
        let segment = |limit, descriptor| SegmentState { base: 0, limit, descriptor };
        let entry = EntryState {
            eip: 0x100_0000,
            ebx: 0x20_0000,
            cr0: 1,
            cr4: 0,
            eflags: 2,
            cs: segment(u32::MAX, 0x00CF_9B00_0000_FFFF),
            data: segment(u32::MAX, 0x00CF_9300_0000_FFFF),
            tr: segment(0x67, 0x0000_8900_0000_0067),
        };
        let cpu = boot_cpu(&entry);
        assert_eq!((cpu.cs_arbytes, cpu.ds_arbytes, cpu.ss_arbytes), (0xC9B, 0xC93, 0xC93));
        assert_eq!((cpu.tr_arbytes, cpu.tr_limit), (0x8B, 0x67));
        assert_eq!((cpu.rip, cpu.rbx, cpu.cr0, cpu.rflags), (0x100_0000, 0x20_0000, 0x11, 2));
    }
}
