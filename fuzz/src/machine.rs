//! A machine description as fuzzers mutate it. Addresses, UIDs and IDs are steps
//! from the value before, so that most inputs are valid; nothing that the library
//! must refuse is out of reach.

use acpi_gen::{
    AcpiVersion, ApicId, Description, Distance, Distances, Entries, Gpa, GpaRange,
    InterruptOverride, IoApic, LocalNmi, MemoryRange, NmiForm, NmiTarget, Oem, Polarity, Processor,
    ProcessorState, ProcessorUid, ProximityDomain, Revisions, Trigger,
};
use arbitrary::Arbitrary;

use crate::encode::{Encode, encode_fields, variant};

/// A description in the making.
#[derive(Arbitrary, Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Hybrid entries, else x2APIC ones.
    pub hybrid: bool,
    /// Which ACPI version, modulo their number; from 0xF0 on the MADT's revision alone.
    pub version: u8,
    /// The MADT's PCAT_COMPAT flag.
    pub pcat_compat: bool,
    /// OEMID.
    pub oem_id: [u8; 6],
    /// OEM Table ID.
    pub oem_table_id: [u8; 8],
    /// OEM Revision.
    pub oem_revision: u32,
    /// Processors in order.
    pub processors: Vec<Cpu>,
    /// Memory in order.
    pub memory: Vec<Memory>,
    /// Domains of the distance matrix.
    pub domains: Vec<Pxm>,
    /// Cells of the matrix, row by row; what is missing is 10 or 20.
    pub cells: Vec<Cell>,
    /// (id, address, gsi_base) of each I/O APIC.
    pub io_apics: Vec<Io>,
    /// Overrides.
    pub overrides: Vec<Override>,
    /// NMIs.
    pub nmis: Vec<Nmi>,
}
encode_fields!(Machine {
    hybrid,
    version,
    pcat_compat,
    oem_id,
    oem_table_id,
    oem_revision,
    processors,
    memory,
    domains,
    cells,
    io_apics,
    overrides,
    nmis,
});

/// A processor.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// UID minus the one before minus 1.
    pub uid_step: Step,
    /// APIC ID minus the one before minus 1.
    pub id_step: Step,
    /// Its domain.
    pub domain: Option<Pxm>,
    /// Absent at boot.
    pub absent: bool,
}
encode_fields!(Cpu { uid_step, id_step, domain, absent });

/// A range of memory.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Start minus the end of the range before.
    pub gap: u64,
    /// Size in bytes.
    pub size: u64,
    /// Its domain.
    pub domain: Pxm,
    /// Flag bit 1.
    pub hot_pluggable: bool,
    /// Flag bit 2.
    pub non_volatile: bool,
}
encode_fields!(Memory { gap, size, domain, hot_pluggable, non_volatile });

/// A step between 32-bit numbers, mostly a small one.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// 0 to 255.
    Small(u8),
    /// Any, modulo 2^32.
    Any(u32),
}

/// A proximity domain, mostly a small one.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pxm {
    /// 0 to 255.
    Small(u8),
    /// Any.
    Any(u32),
}

/// A distance before it is clamped.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A number.
    Number(u16),
    /// The word "unreachable".
    Unreachable,
}

/// An I/O APIC.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Io {
    /// APIC ID.
    pub id: u8,
    /// Address.
    pub address: u32,
    /// First interrupt.
    pub gsi_base: u32,
}
encode_fields!(Io { id, address, gsi_base });

/// An interrupt source override.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    /// ISA IRQ.
    pub source: u8,
    /// Global system interrupt.
    pub gsi: u32,
    /// Polarity in bits 1:0, trigger mode in bits 3:2, 2 read as 3.
    pub inti: u8,
}
encode_fields!(Override { source, gsi, inti });

/// An NMI.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nmi {
    /// Its processor, or all.
    pub uid: Option<Step>,
    /// LINT input.
    pub lint: u8,
    /// As in [`Override`].
    pub inti: u8,
    /// 0: as the processors, 1: type 4, else type 0xA.
    pub form: u8,
}
encode_fields!(Nmi { uid, lint, inti, form });

impl Step {
    /// The step that leads to a value.
    pub fn to(value: u32) -> Self {
        u8::try_from(value).map_or(Self::Any(value), Self::Small)
    }

    fn get(self) -> u32 {
        match self {
            Self::Small(value) => value.into(),
            Self::Any(value) => value,
        }
    }
}

impl Encode for Step {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Small(value) => {
                variant(0, 2, to);
                value.encode(to);
            }
            Self::Any(value) => {
                variant(1, 2, to);
                value.encode(to);
            }
        }
    }
}

impl Pxm {
    /// The domain.
    pub fn get(self) -> ProximityDomain {
        ProximityDomain(match self {
            Self::Small(value) => value.into(),
            Self::Any(value) => value,
        })
    }
}

impl From<ProximityDomain> for Pxm {
    fn from(domain: ProximityDomain) -> Self {
        u8::try_from(domain.0).map_or(Self::Any(domain.0), Self::Small)
    }
}

impl Encode for Pxm {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Small(value) => {
                variant(0, 2, to);
                value.encode(to);
            }
            Self::Any(value) => {
                variant(1, 2, to);
                value.encode(to);
            }
        }
    }
}

impl Encode for Cell {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Number(value) => {
                variant(0, 2, to);
                value.encode(to);
            }
            Self::Unreachable => variant(1, 2, to),
        }
    }
}

fn polarity(inti: u8) -> Polarity {
    match inti & 3 {
        0 => Polarity::Conforming,
        1 => Polarity::High,
        _ => Polarity::Low,
    }
}

fn trigger(inti: u8) -> Trigger {
    match (inti >> 2) & 3 {
        0 => Trigger::Conforming,
        1 => Trigger::Edge,
        _ => Trigger::Level,
    }
}

fn inti(polarity: Polarity, trigger: Trigger) -> u8 {
    let polarity = match polarity {
        Polarity::Conforming => 0,
        Polarity::High => 1,
        Polarity::Low => 3,
    };
    let trigger = match trigger {
        Trigger::Conforming => 0,
        Trigger::Edge => 1,
        Trigger::Level => 3,
    };
    polarity | trigger << 2
}

/// The slices that a [`Description`] borrows.
#[derive(Clone, Debug)]
pub struct Parts {
    processors: Vec<Processor>,
    memory: Vec<MemoryRange>,
    domains: Vec<ProximityDomain>,
    matrix: Vec<Distance>,
    io_apics: Vec<IoApic>,
    overrides: Vec<InterruptOverride>,
    nmis: Vec<LocalNmi>,
    entries: Entries,
    revisions: Revisions,
    pcat_compat: bool,
    oem: Oem,
}

impl Parts {
    /// The description over these slices.
    pub fn description(&self) -> Description<'_> {
        Description {
            processors: &self.processors,
            memory: &self.memory,
            distances: Distances { domains: &self.domains, matrix: &self.matrix },
            io_apics: &self.io_apics,
            overrides: &self.overrides,
            nmis: &self.nmis,
            entries: self.entries,
            revisions: self.revisions,
            pcat_compat: self.pcat_compat,
            oem: self.oem,
        }
    }
}

impl Machine {
    /// The slices of a description. Ranges that cannot be named (empty ones, or
    /// past 2^64) are left out.
    pub fn parts(&self) -> Parts {
        let (mut uid, mut id, mut end) = (u32::MAX, u32::MAX, 0_u64);
        let processors = self.processors.iter().map(|cpu| {
            uid = uid.wrapping_add(1).wrapping_add(cpu.uid_step.get());
            id = id.wrapping_add(1).wrapping_add(cpu.id_step.get());
            Processor {
                uid: ProcessorUid(uid),
                apic_id: ApicId(id),
                domain: cpu.domain.map(Pxm::get),
                state: match cpu.absent {
                    false => ProcessorState::Enabled,
                    true => ProcessorState::OnlineCapable,
                },
            }
        });
        let processors = processors.collect();
        let memory = self.memory.iter().filter_map(|memory| {
            let range = GpaRange::with_size(Gpa(end.wrapping_add(memory.gap)), memory.size).ok()?;
            end = range.end().0;
            Some(MemoryRange {
                range,
                domain: memory.domain.get(),
                hot_pluggable: memory.hot_pluggable,
                non_volatile: memory.non_volatile,
            })
        });
        let memory = memory.collect();
        let side = self.domains.len();
        // As many cells as there are, or what a square takes.
        let cells = if self.cells.len() > side * side { self.cells.len() } else { side * side };
        let matrix = (0..cells).map(|at| match self.cells.get(at) {
            Some(Cell::Number(value)) => Distance::clamped((*value).into()),
            Some(Cell::Unreachable) => Distance::UNREACHABLE,
            None if at % (side + 1) == 0 => Distance::LOCAL,
            None => Distance::REMOTE,
        });
        Parts {
            processors,
            memory,
            domains: self.domains.iter().map(|domain| domain.get()).collect(),
            matrix: matrix.collect(),
            io_apics: self
                .io_apics
                .iter()
                .map(|io| IoApic { id: io.id, address: io.address, gsi_base: io.gsi_base })
                .collect(),
            overrides: self.overrides.iter().map(Override::get).collect(),
            nmis: self.nmis.iter().map(Nmi::get).collect(),
            entries: if self.hybrid { Entries::Hybrid } else { Entries::X2Apic },
            revisions: match self.version {
                revision @ 0xF0.. => Revisions::MadtOf(revision & 0xF),
                version => {
                    let all = AcpiVersion::ALL;
                    Revisions::Acpi(all[usize::from(version) % all.len()])
                }
            },
            pcat_compat: self.pcat_compat,
            oem: Oem { id: self.oem_id, table_id: self.oem_table_id, revision: self.oem_revision },
        }
    }

    /// The machine whose [`Machine::parts`] are this description: a seed.
    pub fn of(description: &Description<'_>) -> Self {
        let (mut uid, mut id, mut end) = (u32::MAX, u32::MAX, 0_u64);
        let processors = description.processors.iter().map(|processor| {
            let step = |from: &mut u32, to: u32| {
                let step = to.wrapping_sub(from.wrapping_add(1));
                *from = to;
                Step::to(step)
            };
            Cpu {
                uid_step: step(&mut uid, processor.uid.0),
                id_step: step(&mut id, processor.apic_id.0),
                domain: processor.domain.map(Pxm::from),
                absent: processor.state == ProcessorState::OnlineCapable,
            }
        });
        let processors = processors.collect();
        let memory = description.memory.iter().map(|memory| {
            let gap = memory.range.start().0.wrapping_sub(end);
            end = memory.range.end().0;
            Memory {
                gap,
                size: memory.range.size(),
                domain: memory.domain.into(),
                hot_pluggable: memory.hot_pluggable,
                non_volatile: memory.non_volatile,
            }
        });
        let cell = |distance: &Distance| match *distance {
            Distance::UNREACHABLE => Cell::Unreachable,
            other => Cell::Number(other.get().into()),
        };
        Self {
            hybrid: description.entries == Entries::Hybrid,
            version: match description.revisions {
                Revisions::Acpi(version) => version.minor(),
                Revisions::MadtOf(revision) => 0xF0 | (revision & 0xF),
            },
            pcat_compat: description.pcat_compat,
            oem_id: description.oem.id,
            oem_table_id: description.oem.table_id,
            oem_revision: description.oem.revision,
            processors,
            memory: memory.collect(),
            domains: description.distances.domains.iter().copied().map(Pxm::from).collect(),
            cells: description.distances.matrix.iter().map(cell).collect(),
            io_apics: description
                .io_apics
                .iter()
                .map(|io| Io { id: io.id, address: io.address, gsi_base: io.gsi_base })
                .collect(),
            overrides: description.overrides.iter().map(Override::of).collect(),
            nmis: description.nmis.iter().map(Nmi::of).collect(),
        }
    }
}

impl Override {
    fn get(&self) -> InterruptOverride {
        InterruptOverride {
            source: self.source,
            gsi: self.gsi,
            polarity: polarity(self.inti),
            trigger: trigger(self.inti),
        }
    }

    fn of(over: &InterruptOverride) -> Self {
        Self { source: over.source, gsi: over.gsi, inti: inti(over.polarity, over.trigger) }
    }
}

impl Nmi {
    fn get(&self) -> LocalNmi {
        LocalNmi {
            target: self.uid.map_or(NmiTarget::All, |uid| NmiTarget::Uid(ProcessorUid(uid.get()))),
            lint: self.lint,
            polarity: polarity(self.inti),
            trigger: trigger(self.inti),
            form: match self.form {
                0 => NmiForm::AsProcessors,
                1 => NmiForm::LocalApic,
                _ => NmiForm::X2Apic,
            },
        }
    }

    fn of(nmi: &LocalNmi) -> Self {
        Self {
            uid: match nmi.target {
                NmiTarget::All => None,
                NmiTarget::Uid(uid) => Some(Step::to(uid.0)),
            },
            lint: nmi.lint,
            inti: inti(nmi.polarity, nmi.trigger),
            form: match nmi.form {
                NmiForm::AsProcessors => 0,
                NmiForm::LocalApic => 1,
                NmiForm::X2Apic => 2,
            },
        }
    }
}
