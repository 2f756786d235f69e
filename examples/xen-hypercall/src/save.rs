//! The records of a domain's saved state. Xen public/hvm/save.h and arch-x86/hvm/save.h.

use std::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::mirror::{Group, Scope, constants, mirror};

/// `struct hvm_save_descriptor`.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
struct Descriptor {
    typecode: u16,
    instance: u16,
    length: u32,
}

mirror!(Descriptor = "struct hvm_save_descriptor": 8 { typecode @ 0, instance @ 2, length @ 4 });

/// `struct hvm_hw_cpu`: one vCPU's registers.
#[expect(missing_docs, reason = "the fields are registers, by their names")]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub struct HvmCpu {
    pub fpu_regs: [u8; 512],
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rbp: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rsp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub rflags: u64,
    pub cr0: u64,
    pub cr2: u64,
    pub cr3: u64,
    pub cr4: u64,
    pub dr0: u64,
    pub dr1: u64,
    pub dr2: u64,
    pub dr3: u64,
    pub dr6: u64,
    pub dr7: u64,
    pub cs_sel: u32,
    pub ds_sel: u32,
    pub es_sel: u32,
    pub fs_sel: u32,
    pub gs_sel: u32,
    pub ss_sel: u32,
    pub tr_sel: u32,
    pub ldtr_sel: u32,
    pub cs_limit: u32,
    pub ds_limit: u32,
    pub es_limit: u32,
    pub fs_limit: u32,
    pub gs_limit: u32,
    pub ss_limit: u32,
    pub tr_limit: u32,
    pub ldtr_limit: u32,
    pub idtr_limit: u32,
    pub gdtr_limit: u32,
    pub cs_base: u64,
    pub ds_base: u64,
    pub es_base: u64,
    pub fs_base: u64,
    pub gs_base: u64,
    pub ss_base: u64,
    pub tr_base: u64,
    pub ldtr_base: u64,
    pub idtr_base: u64,
    pub gdtr_base: u64,
    pub cs_arbytes: u32,
    pub ds_arbytes: u32,
    pub es_arbytes: u32,
    pub fs_arbytes: u32,
    pub gs_arbytes: u32,
    pub ss_arbytes: u32,
    pub tr_arbytes: u32,
    pub ldtr_arbytes: u32,
    pub sysenter_cs: u64,
    pub sysenter_esp: u64,
    pub sysenter_eip: u64,
    pub shadow_gs: u64,
    pub msr_flags: u64,
    pub msr_lstar: u64,
    pub msr_star: u64,
    pub msr_cstar: u64,
    pub msr_syscall_mask: u64,
    pub msr_efer: u64,
    pub msr_tsc_aux: u64,
    pub tsc: u64,
    pub pending_event: u32,
    pub error_code: u32,
    pub flags: u32,
    pub pad0: u32,
}

mirror!(HvmCpu = "struct hvm_hw_cpu": 1032 {
    fpu_regs @ 0, rax @ 512, rbx @ 520, rcx @ 528, rdx @ 536, rbp @ 544, rsi @ 552, rdi @ 560,
    rsp @ 568, r8 @ 576, r9 @ 584, r10 @ 592, r11 @ 600, r12 @ 608, r13 @ 616, r14 @ 624,
    r15 @ 632, rip @ 640, rflags @ 648, cr0 @ 656, cr2 @ 664, cr3 @ 672, cr4 @ 680, dr0 @ 688,
    dr1 @ 696, dr2 @ 704, dr3 @ 712, dr6 @ 720, dr7 @ 728, cs_sel @ 736, ds_sel @ 740,
    es_sel @ 744, fs_sel @ 748, gs_sel @ 752, ss_sel @ 756, tr_sel @ 760, ldtr_sel @ 764,
    cs_limit @ 768, ds_limit @ 772, es_limit @ 776, fs_limit @ 780, gs_limit @ 784,
    ss_limit @ 788, tr_limit @ 792, ldtr_limit @ 796, idtr_limit @ 800, gdtr_limit @ 804,
    cs_base @ 808, ds_base @ 816, es_base @ 824, fs_base @ 832, gs_base @ 840, ss_base @ 848,
    tr_base @ 856, ldtr_base @ 864, idtr_base @ 872, gdtr_base @ 880, cs_arbytes @ 888,
    ds_arbytes @ 892, es_arbytes @ 896, fs_arbytes @ 900, gs_arbytes @ 904, ss_arbytes @ 908,
    tr_arbytes @ 912, ldtr_arbytes @ 916, sysenter_cs @ 920, sysenter_esp @ 928,
    sysenter_eip @ 936, shadow_gs @ 944, msr_flags @ 952, msr_lstar @ 960, msr_star @ 968,
    msr_cstar @ 976, msr_syscall_mask @ 984, msr_efer @ 992, msr_tsc_aux @ 1000, tsc @ 1008,
    pending_event @ 1016, error_code @ 1020, flags @ 1024, pad0 @ 1028
});

impl HvmCpu {
    /// Its type code.
    pub const TYPE: u16 = 2;
}

/// `struct hvm_hw_mtrr`: one vCPU's memory types.
#[expect(missing_docs, reason = "the fields are registers, by their names")]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub struct HvmMtrr {
    pub msr_pat_cr: u64,
    pub msr_mtrr_var: [u64; 16],
    pub msr_mtrr_fixed: [u64; 11],
    pub msr_mtrr_cap: u64,
    pub msr_mtrr_def_type: u64,
}

mirror!(HvmMtrr = "struct hvm_hw_mtrr": 240 {
    msr_pat_cr @ 0, msr_mtrr_var @ 8, msr_mtrr_fixed @ 136, msr_mtrr_cap @ 224,
    msr_mtrr_def_type @ 232
});

impl HvmMtrr {
    /// Its type code.
    pub const TYPE: u16 = 14;
}

/// The type code of the header, the first record.
const HEADER: u16 = 1;
/// The type code of the last record, which is empty.
const END: u16 = 0;
/// The type code of a local APIC's registers, 16 bytes apart.
const LAPIC_REGS: u16 = 6;
/// Offset of the APIC ID register.
const APIC_ID: usize = 0x20;

pub(crate) const GROUPS: &[Group] = &[Group {
    scope: Scope::Every,
    mirrors: &[Descriptor::MIRROR, HvmCpu::MIRROR, HvmMtrr::MIRROR],
    constants: constants! {
        // HVM_SAVE_CODE(x) is an expression of C; the program that checks defines these names.
        HVM_SAVE_CODE_HEADER = 1,
        HVM_SAVE_CODE_CPU = 2,
        HVM_SAVE_CODE_LAPIC_REGS = 6,
        HVM_SAVE_CODE_MTRR = 14,
        HVM_SAVE_CODE_END = 0,
    },
}];

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its type code, `HVM_SAVE_CODE(x)`.
    pub typecode: u16,
    /// The vCPU or device.
    pub instance: u16,
    /// Its content.
    pub bytes: &'a [u8],
}

impl Record<'_> {
    /// The APIC ID register, where this is a local APIC's registers: the id in x2APIC
    /// mode, the id in bits 31:24 in xAPIC mode.
    #[must_use]
    pub fn apic_id_register(&self) -> Option<u32> {
        let bytes = self.bytes.get(APIC_ID..)?.first_chunk::<4>()?;
        (self.typecode == LAPIC_REGS).then(|| u32::from_le_bytes(*bytes))
    }

    /// The record's bytes, with another value of the APIC ID register where it is a
    /// local APIC's registers. For tests.
    #[must_use]
    pub fn with_apic_id_register(&self, value: u32) -> Vec<u8> {
        let mut bytes = self.bytes.to_vec();
        if self.apic_id_register().is_some() {
            let register = bytes.get_mut(APIC_ID..).and_then(<[u8]>::first_chunk_mut::<4>);
            if let Some(register) = register {
                *register = value.to_le_bytes();
            }
        }
        bytes
    }
}

/// Saved state whose records run past its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveError {
    /// Offset of the record.
    pub offset: usize,
    /// Bytes from there on.
    pub have: usize,
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "saved state: the record at {:#x} does not fit {} bytes", self.offset, self.have)
    }
}

impl std::error::Error for SaveError {}

/// The records of saved state, without the empty one at the end.
///
/// # Errors
/// [`SaveError`].
pub fn records(state: &[u8]) -> Result<Vec<Record<'_>>, SaveError> {
    let mut all = Vec::new();
    let mut rest = state;
    loop {
        let have = rest.len();
        let error = SaveError { offset: state.len().saturating_sub(have), have };
        let (head, after) = Descriptor::read_from_prefix(rest).map_err(|_| error)?;
        if head.typecode == END {
            return Ok(all);
        }
        let len = usize::try_from(head.length).map_err(|_| error)?;
        let (bytes, after) = after.split_at_checked(len).ok_or(error)?;
        all.push(Record { typecode: head.typecode, instance: head.instance, bytes });
        rest = after;
    }
}

/// Saved state that is being put together: a header first, an end last.
#[derive(Debug)]
pub struct RecordWriter {
    bytes: Vec<u8>,
}

impl RecordWriter {
    /// State that begins with another state's header.
    ///
    /// # Errors
    /// [`SaveError`] where that has none.
    pub fn with_header_of(state: &[u8]) -> Result<Self, SaveError> {
        let none = SaveError { offset: 0, have: state.len() };
        let records = records(state)?;
        let header = records.first().filter(|record| record.typecode == HEADER).ok_or(none)?;
        let mut writer = Self { bytes: Vec::new() };
        writer.push(header);
        Ok(writer)
    }

    /// Appends a record.
    pub fn push(&mut self, record: &Record<'_>) {
        let descriptor = Descriptor {
            typecode: record.typecode,
            instance: record.instance,
            length: u32::try_from(record.bytes.len()).unwrap_or(u32::MAX),
        };
        self.bytes.extend_from_slice(descriptor.as_bytes());
        self.bytes.extend_from_slice(record.bytes);
    }

    /// The whole state.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.push(&Record { typecode: END, instance: 0, bytes: &[] });
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> Vec<u8> {
        // By hand: header of 4 bytes, LAPIC registers of vCPU 3 with id 0x0A in xAPIC mode, end.
        let mut bytes = vec![1, 0, 0, 0, 4, 0, 0, 0, 9, 9, 9, 9];
        bytes.extend_from_slice(&[6, 0, 3, 0, 0x24, 0, 0, 0]);
        bytes.extend_from_slice(&[0; 0x20]);
        bytes.extend_from_slice(&[0, 0, 0, 0x0A]);
        bytes.extend_from_slice(&[0; 8]);
        bytes
    }

    #[test]
    fn records_are_found_and_written_back() {
        let state = state();
        let found = records(&state).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[1].typecode, found[1].instance), (6, 3));
        assert_eq!(found[1].apic_id_register(), Some(0x0A00_0000));
        assert_eq!(found[0].apic_id_register(), None);
        let mut writer = RecordWriter::with_header_of(&state).unwrap();
        writer.push(&found[1]);
        assert_eq!(writer.finish(), state);
    }

    #[test]
    fn a_record_past_the_end_is_an_error_at_every_length() {
        let state = state();
        for len in 0..state.len() {
            let error = records(&state[..len]).unwrap_err();
            assert!(error.offset <= len && error.offset.saturating_add(error.have) == len);
        }
        assert!(RecordWriter::with_header_of(&[0; 8]).is_err());
    }
}
