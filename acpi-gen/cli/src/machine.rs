//! A machine that owns what the library's description borrows.

use acpi_gen::{
    Description, Distance, Distances, Entries, Error, InterruptOverride, IoApic, LocalNmi,
    MemoryRange, Oem, Processor, ProximityDomain, Revisions, Topology,
};

/// The owned counterpart of [`Description`].
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) processors: Vec<Processor>,
    pub(crate) memory: Vec<MemoryRange>,
    /// Rows and columns of `distances`, ascending.
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

    /// The validated description.
    pub(crate) fn topology(&self) -> Result<Topology<'_>, Error> {
        let description = self.description();
        let mut scratch = vec![0; Topology::scratch_len(&description)];
        Topology::new(description, &mut scratch)
    }
}
