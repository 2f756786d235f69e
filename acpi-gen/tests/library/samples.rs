//! Descriptions that own their slices, and tables out of them.

use std::fs;
use std::path::Path;

use acpi_gen::{
    ApicId, Description, Distance, Distances, Entries, Error, Gpa, GpaRange, InterruptOverride,
    IoApic, LocalNmi, MemoryRange, NmiForm, NmiTarget, Oem, Polarity, Processor, ProcessorState,
    ProcessorUid, ProximityDomain, Revisions, TableSet, Topology, Trigger,
};

/// The owned counterpart of [`Description`].
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) processors: Vec<Processor>,
    pub(crate) memory: Vec<MemoryRange>,
    pub(crate) domains: Vec<ProximityDomain>,
    pub(crate) distances: Vec<Distance>,
    pub(crate) io_apics: Vec<IoApic>,
    pub(crate) overrides: Vec<InterruptOverride>,
    pub(crate) nmis: Vec<LocalNmi>,
    pub(crate) entries: Entries,
    pub(crate) revisions: Revisions,
    pub(crate) pcat_compat: bool,
    pub(crate) oem: Oem,
}

impl Machine {
    /// CPUs 0…n-1 with even ids, dealt out in runs to the nodes, 1 GiB on each.
    pub(crate) fn plain(cpus: u32, nodes: u32) -> Self {
        let memory = (0..nodes).map(|node| memory(node, u64::from(node) << 30, 1 << 30)).collect();
        Self {
            processors: (0..cpus)
                .map(|cpu| {
                    processor(
                        cpu,
                        2 * cpu,
                        (u64::from(cpu) * u64::from(nodes) / u64::from(cpus)) as u32,
                    )
                })
                .collect(),
            memory,
            domains: Vec::new(),
            distances: Vec::new(),
            io_apics: Vec::new(),
            overrides: Vec::new(),
            nmis: Vec::new(),
            entries: Description::EMPTY.entries,
            revisions: Description::EMPTY.revisions,
            pcat_compat: false,
            oem: Oem::DEFAULT,
        }
    }

    /// One of each entry that the emitters know, ids around the border of type 0,
    /// a processor and a range without and with each flag. `highest`, above 7, is
    /// the highest domain, with which the SLIT grows.
    pub(crate) fn varied(highest: u32) -> Self {
        let mut machine = Self::plain(1, 1);
        machine.processors = vec![
            processor(0, 0, 0),
            processor(1, 254, 2),
            processor(2, 255, 2),
            processor(3, 256, highest),
            Processor { domain: None, ..processor(4, 7, 0) },
            Processor { state: ProcessorState::OnlineCapable, ..processor(5, 9, 0) },
            Processor { state: ProcessorState::OnlineCapable, ..processor(600, 0xFFFF_FFFE, 0) },
        ];
        machine.memory.extend([
            MemoryRange { hot_pluggable: true, ..memory(2, 1 << 32, 1 << 30) },
            MemoryRange { non_volatile: true, ..memory(highest, 1 << 40, 4096) },
            MemoryRange { hot_pluggable: true, ..memory(7, 1 << 63, (1 << 63) - 1) },
        ]);
        machine.domains = [0, 2, 7, highest].map(ProximityDomain).to_vec();
        machine.distances = [10, 11, 254, 255, 12, 10, 20, 20, 13, 20, 10, 20, 14, 20, 20, 10]
            .map(
                |value| if value == 255 { Distance::UNREACHABLE } else { Distance::clamped(value) },
            )
            .to_vec();
        machine.io_apics = vec![
            IoApic { id: 0, address: 0xFEC0_0000, gsi_base: 0 },
            IoApic { id: 255, address: u32::MAX, gsi_base: u32::MAX },
        ];
        let polarities = [Polarity::Conforming, Polarity::High, Polarity::Low];
        let triggers = [Trigger::Conforming, Trigger::Edge, Trigger::Level];
        machine.overrides = (0_u8..9)
            .map(|i| InterruptOverride {
                source: 28 * i,
                gsi: u32::from(i) * 0x1111_1111,
                polarity: polarities[usize::from(i / 3)],
                trigger: triggers[usize::from(i % 3)],
            })
            .collect();
        let nmi = |target, lint, form| LocalNmi {
            target,
            lint,
            polarity: Polarity::High,
            trigger: Trigger::Edge,
            form,
        };
        machine.nmis = vec![
            nmi(NmiTarget::All, 1, NmiForm::AsProcessors),
            nmi(NmiTarget::All, 0, NmiForm::LocalApic),
            nmi(NmiTarget::All, 1, NmiForm::X2Apic),
            nmi(NmiTarget::Uid(ProcessorUid(0)), 1, NmiForm::AsProcessors),
            nmi(NmiTarget::Uid(ProcessorUid(600)), 0, NmiForm::AsProcessors),
            nmi(NmiTarget::Uid(ProcessorUid(1)), 0, NmiForm::X2Apic),
        ];
        machine.entries = Entries::Hybrid;
        machine.pcat_compat = true;
        machine.oem = Oem { id: *b"ABCDEF", table_id: *b"GHIJKLMN", revision: u32::MAX };
        machine
    }

    pub(crate) fn description(&self) -> Description<'_> {
        Description {
            processors: &self.processors,
            memory: &self.memory,
            distances: Distances { domains: &self.domains, matrix: &self.distances },
            io_apics: &self.io_apics,
            overrides: &self.overrides,
            nmis: &self.nmis,
            entries: self.entries,
            revisions: self.revisions,
            pcat_compat: self.pcat_compat,
            oem: self.oem,
        }
    }

    pub(crate) fn topology(&self) -> Result<Topology<'_>, Error> {
        let description = self.description();
        Topology::new(description, &mut vec![0; Topology::scratch_len(&description)])
    }

    /// The validated description of a machine that has no defect.
    pub(crate) fn valid(&self) -> Topology<'_> {
        self.topology().unwrap()
    }
}

pub(crate) fn processor(uid: u32, apic_id: u32, domain: u32) -> Processor {
    Processor {
        uid: ProcessorUid(uid),
        apic_id: ApicId(apic_id),
        domain: Some(ProximityDomain(domain)),
        state: ProcessorState::Enabled,
    }
}

pub(crate) fn memory(domain: u32, start: u64, size: u64) -> MemoryRange {
    MemoryRange {
        range: GpaRange::with_size(Gpa(start), size).unwrap(),
        domain: ProximityDomain(domain),
        hot_pluggable: false,
        non_volatile: false,
    }
}

/// A whole set in a buffer of its length.
pub(crate) fn emitted(set: &TableSet<'_>, base: Gpa) -> Vec<u8> {
    let mut bytes = vec![0; set.len().unwrap()];
    set.emit(&mut bytes, base).unwrap();
    bytes
}

/// One table in a buffer of its length.
pub(crate) fn table(
    topology: &Topology<'_>,
    len: impl Fn(&Topology<'_>) -> Result<usize, Error>,
    emit: impl Fn(&Topology<'_>, &mut [u8]) -> Result<usize, Error>,
) -> Vec<u8> {
    let mut bytes = vec![0; len(topology).unwrap()];
    assert_eq!(emit(topology, &mut bytes), Ok(bytes.len()));
    bytes
}

/// The golden tables: name of the set, name of the file, bytes.
pub(crate) fn goldens() -> Vec<(String, String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/golden");
    let mut goldens = Vec::new();
    for set in fs::read_dir(folder).unwrap() {
        let set = set.unwrap();
        for file in fs::read_dir(set.path()).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            if name.ends_with(".dat") {
                let set = set.file_name().into_string().unwrap();
                goldens.push((set, name, fs::read(file.path()).unwrap()));
            }
        }
    }
    goldens.sort();
    assert!(goldens.len() > 60, "{} tables", goldens.len());
    goldens
}

/// The sum of all bytes modulo 256.
pub(crate) fn byte_sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}
