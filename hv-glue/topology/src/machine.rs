//! A machine that owns what the library's description borrows.

use alloc::vec;
use alloc::vec::Vec;

use acpi_gen::{
    Description, Distance, Distances, Entries, Error, InterruptOverride, IoApic, LocalNmi,
    MemoryRange, Oem, Processor, ProximityDomain, Revisions, Topology,
};

/// The owned counterpart of [`Description`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// In the order of the MADT: the boot processor first.
    pub processors: Vec<Processor>,
    /// In ascending order of address.
    pub memory: Vec<MemoryRange>,
    /// Rows and columns of `distances`, ascending.
    pub domains: Vec<ProximityDomain>,
    /// Row by row.
    pub distances: Vec<Distance>,
    /// Interrupt controllers beside the processors' own.
    pub io_apics: Vec<IoApic>,
    /// ISA interrupts that arrive elsewhere than at their own number.
    pub overrides: Vec<InterruptOverride>,
    /// Inputs of local APICs that are NMIs.
    pub nmis: Vec<LocalNmi>,
    /// Which MADT and SRAT entries processors get.
    pub entries: Entries,
    /// Of which specification the tables are.
    pub revisions: Revisions,
    /// Whether the machine has two 8259s too.
    pub pcat_compat: bool,
    /// Who the tables' headers name.
    pub oem: Oem,
}

impl Machine {
    /// The same, borrowed.
    #[must_use]
    pub fn description(&self) -> Description<'_> {
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

    /// The validated description.
    ///
    /// # Errors
    /// Those of [`Topology::new`].
    pub fn topology(&self) -> Result<Topology<'_>, Error> {
        let description = self.description();
        let mut scratch = vec![0; Topology::scratch_len(&description)];
        Topology::new(description, &mut scratch)
    }
}
