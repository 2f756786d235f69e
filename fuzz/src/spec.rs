//! The tables a second time, in the plainest way: byte after byte as the
//! specification lists them. Shares no code with the library and is far from its
//! limits; what the two agree on is not one author's slip.

use acpi_gen::{
    Description, Entries, InterruptOverride, LocalNmi, NmiForm, NmiTarget, Polarity, Processor,
    ProcessorState, Trigger,
};

/// MADT, SRAT and SLIT; without domains the last two are not there.
pub struct Expected {
    /// Signature "APIC".
    pub madt: Vec<u8>,
    /// Signatures "SRAT" and "SLIT".
    pub affinity: Option<(Vec<u8>, Vec<u8>)>,
}

/// The tables of a description that the library accepts.
pub fn tables(description: &Description<'_>) -> Expected {
    let of_cpus = description.processors.iter().filter_map(|p| p.domain);
    let highest = of_cpus.chain(description.memory.iter().map(|m| m.domain)).max();
    Expected {
        madt: madt(description),
        affinity: highest.map(|highest| (srat(description), slit(description, highest.0 + 1))),
    }
}

/// ACPI 6.5, 5.2.6: header, content, and the sum of all bytes made 0.
fn table(description: &Description<'_>, signature: &str, revision: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(signature.as_bytes());
    bytes.extend((36 + content.len() as u32).to_le_bytes());
    bytes.push(revision);
    bytes.push(0);
    bytes.extend(description.oem.id);
    bytes.extend(description.oem.table_id);
    bytes.extend(description.oem.revision.to_le_bytes());
    bytes.extend(b"ACGN");
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(content);
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    bytes[9] = ((256 - sum % 256) % 256) as u8;
    bytes
}

fn is_type0(description: &Description<'_>, cpu: &Processor) -> bool {
    description.entries == Entries::Hybrid && cpu.apic_id.0 < 255
}

/// ACPI 6.5, 5.2.12.
fn madt(description: &Description<'_>) -> Vec<u8> {
    let revision = description.revisions.madt();
    let mut out = Vec::new();
    out.extend(0xFEE0_0000_u32.to_le_bytes());
    out.extend(u32::from(description.pcat_compat).to_le_bytes());
    for cpu in description.processors {
        let flags: u32 = match cpu.state {
            ProcessorState::Enabled => 1,
            ProcessorState::OnlineCapable if revision >= 5 => 2,
            ProcessorState::OnlineCapable => 0,
        };
        if is_type0(description, cpu) {
            out.extend([0, 8, cpu.uid.0 as u8, cpu.apic_id.0 as u8]);
            out.extend(flags.to_le_bytes());
        } else {
            out.extend([9, 16, 0, 0]);
            out.extend(cpu.apic_id.0.to_le_bytes());
            out.extend(flags.to_le_bytes());
            out.extend(cpu.uid.0.to_le_bytes());
        }
    }
    for io_apic in description.io_apics {
        out.extend([1, 12, io_apic.id, 0]);
        out.extend(io_apic.address.to_le_bytes());
        out.extend(io_apic.gsi_base.to_le_bytes());
    }
    for InterruptOverride { source, gsi, polarity, trigger } in description.overrides {
        out.extend([2, 10, 0, *source]);
        out.extend(gsi.to_le_bytes());
        out.extend([inti(*polarity, *trigger), 0]);
    }
    for nmi in description.nmis {
        let flags = inti(nmi.polarity, nmi.trigger);
        if is_type4(description, nmi) {
            let uid = match nmi.target {
                NmiTarget::All => 0xFF,
                NmiTarget::Uid(uid) => uid.0 as u8,
            };
            out.extend([4, 6, uid, flags, 0, nmi.lint]);
        } else {
            let uid = match nmi.target {
                NmiTarget::All => 0xFFFF_FFFF,
                NmiTarget::Uid(uid) => uid.0,
            };
            out.extend([0xA, 12, flags, 0]);
            out.extend(uid.to_le_bytes());
            out.extend([nmi.lint, 0, 0, 0]);
        }
    }
    table(description, "APIC", revision, &out)
}

fn is_type4(description: &Description<'_>, nmi: &LocalNmi) -> bool {
    match (nmi.form, nmi.target) {
        (NmiForm::LocalApic, _) => true,
        (NmiForm::X2Apic, _) => false,
        (NmiForm::AsProcessors, NmiTarget::All) => {
            description.processors.iter().all(|cpu| is_type0(description, cpu))
        }
        (NmiForm::AsProcessors, NmiTarget::Uid(uid)) => {
            let cpu = description.processors.iter().find(|cpu| cpu.uid == uid);
            is_type0(description, cpu.expect("a valid description has the processor"))
        }
    }
}

/// MPS INTI flags, ACPI 6.5, table 5.26.
fn inti(polarity: Polarity, trigger: Trigger) -> u8 {
    let low = match polarity {
        Polarity::Conforming => 0b00,
        Polarity::High => 0b01,
        Polarity::Low => 0b11,
    };
    let high = match trigger {
        Trigger::Conforming => 0b0000,
        Trigger::Edge => 0b0100,
        Trigger::Level => 0b1100,
    };
    low + high
}

/// ACPI 6.5, 5.2.16.
fn srat(description: &Description<'_>) -> Vec<u8> {
    let mut out = vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for cpu in description.processors {
        let Some(domain) = cpu.domain else { continue };
        let [d0, d1, d2, d3] = domain.0.to_le_bytes();
        if is_type0(description, cpu) {
            out.extend([0, 16, d0, cpu.apic_id.0 as u8, 1, 0, 0, 0, 0, d1, d2, d3, 0, 0, 0, 0]);
        } else {
            out.extend([2, 24, 0, 0, d0, d1, d2, d3]);
            out.extend(cpu.apic_id.0.to_le_bytes());
            out.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
    }
    for memory in description.memory {
        let (start, end) = (memory.range.start().0, memory.range.end().0);
        out.extend([1, 40]);
        out.extend(memory.domain.0.to_le_bytes());
        out.extend([0, 0]);
        out.extend(start.to_le_bytes());
        out.extend((end - start).to_le_bytes());
        out.extend([0; 4]);
        let flags = 1 + 2 * u32::from(memory.hot_pluggable) + 4 * u32::from(memory.non_volatile);
        out.extend(flags.to_le_bytes());
        out.extend([0; 8]);
    }
    table(description, "SRAT", 3, &out)
}

/// ACPI 6.5, 5.2.17: cell by cell, by search.
fn slit(description: &Description<'_>, localities: u32) -> Vec<u8> {
    let domains = description.distances.domains;
    let mut out = u64::from(localities).to_le_bytes().to_vec();
    for from in 0..localities {
        for to in 0..localities {
            let row = domains.iter().position(|domain| domain.0 == from);
            let column = domains.iter().position(|domain| domain.0 == to);
            out.push(match (row, column) {
                (Some(row), Some(column)) => {
                    description.distances.matrix[row * domains.len() + column].get()
                }
                _ if from == to => 10,
                _ => 20,
            });
        }
    }
    table(description, "SLIT", 1, &out)
}
