//! A whole set of tables in one block of memory. Size first, then place, then
//! emit: sizes hold no address, so nothing is computed twice.

use heapless::Vec;

use crate::{Error, Gpa, KnownTable, PlacedTable, Revisions, Topology, acpi_table::Contents};

/// The most tables that a set has.
pub const MAX_TABLES: usize = KnownTable::emitted();

/// What to emit: the tables that follow from a topology, and the addresses of other
/// tables.
///
/// They are in memory in the order of [`KnownTable::ALL`], as far as the set has them;
/// SRAT and SLIT are left out if nothing has a proximity domain.
#[derive(Clone, Copy, Debug)]
pub struct TableSet<'a> {
    contents: Contents<'a>,
}

impl<'a> TableSet<'a> {
    /// RSDP, XSDT, MADT, SRAT and SLIT.
    #[must_use]
    pub const fn new(topology: &Topology<'a>) -> Self {
        let contents = Contents {
            topology: *topology,
            version: None,
            hypervisor_vendor: [0; 8],
            listed: 0,
            other_tables: &[],
            base: Gpa(0),
            placed: &[],
        };
        Self { contents }
    }

    /// All that a PVH guest needs: also FADT, DSDT and FACS.
    ///
    /// # Errors
    /// [`Error::FadtNotOurs`] where the description's revisions follow another FADT.
    pub const fn complete(topology: &Topology<'a>) -> Result<Self, Error> {
        match topology.description().revisions {
            Revisions::Acpi(version) => {
                let mut set = Self::new(topology);
                set.contents.version = Some(version);
                Ok(set)
            }
            Revisions::MadtOf(_) => Err(Error::FadtNotOurs),
        }
    }

    /// Sets the FADT's hypervisor vendor identity.
    #[must_use]
    pub const fn with_hypervisor_vendor(mut self, vendor: [u8; 8]) -> Self {
        self.contents.hypervisor_vendor = vendor;
        self
    }

    /// Adds addresses of further tables to the XSDT, behind the set's own: a
    /// hypervisor passes the host's tables through, a loader the firmware's.
    #[must_use]
    pub const fn with_tables(mut self, addresses: &'a [Gpa]) -> Self {
        self.contents.other_tables = addresses;
        self
    }

    /// The machine that the tables describe.
    #[must_use]
    pub const fn topology(&self) -> &Topology<'a> {
        &self.contents.topology
    }

    /// What the base address must be a multiple of, in bytes.
    #[must_use]
    pub fn align(&self) -> usize {
        self.tables().fold(1, |align, table| align.max(table.align()))
    }

    /// The tables of this set in their order.
    fn tables(&self) -> impl Iterator<Item = KnownTable> {
        KnownTable::ALL.into_iter().filter(|table| table.is_in(&self.contents))
    }

    /// Bytes of the whole set. No address enters.
    ///
    /// # Errors
    /// [`Error::TableTooLarge`], [`Error::TooManyProcessorDevices`].
    #[expect(clippy::len_without_is_empty, reason = "no set is empty: it has an RSDP")]
    pub fn len(&self) -> Result<usize, Error> {
        self.layout(Gpa(0)).map(|placed| placed.len())
    }

    /// Where each table would stand, without writing any.
    ///
    /// # Errors
    /// Those of [`TableSet::len`], [`Error::BaseMisaligned`], and
    /// [`Error::RangePastEnd`] where the set would pass 2^64.
    pub fn place(&self, base: Gpa) -> Result<Placed, Error> {
        let align = u64::try_from(self.align()).unwrap_or(u64::MAX);
        if !base.0.is_multiple_of(align) {
            return Err(Error::BaseMisaligned { base, align });
        }
        let placed = self.layout(base)?;
        let size = u64::try_from(placed.len()).unwrap_or(u64::MAX);
        if base.0.checked_add(size).is_none() {
            return Err(Error::RangePastEnd { start: base, size });
        }
        Ok(placed)
    }

    /// Writes the whole set to the start of `buffer`, which the guest will see
    /// at `base`. Every byte up to the set's length is written.
    ///
    /// # Errors
    /// Those of [`TableSet::place`], and [`Error::BufferTooSmall`]; the buffer
    /// is untouched then.
    pub fn emit(&self, buffer: &mut [u8], base: Gpa) -> Result<Placed, Error> {
        let placed = self.place(base)?;
        let (needed, have) = (placed.len(), buffer.len());
        let buffer = buffer.get_mut(..needed).ok_or(Error::BufferTooSmall { needed, have })?;
        let listed = placed.tables().iter().filter(|table| table.is_listed).count();
        let contents = Contents { base, listed, placed: placed.tables(), ..self.contents };
        let mut written = 0;
        for table in KnownTable::ALL {
            let Some(place) = placed.table(table.signature()) else { continue };
            let Some((before, rest)) = buffer.split_at_mut_checked(place.offset) else { continue };
            before.get_mut(written..).unwrap_or_default().fill(0);
            written = place.end();
            table.emit(&contents, before, rest.get_mut(..place.len).unwrap_or_default())?;
        }
        Ok(placed)
    }

    fn layout(&self, base: Gpa) -> Result<Placed, Error> {
        let listed = self.tables().filter(|table| table.is_listed()).count();
        let contents = Contents { base, listed, ..self.contents };
        let mut placed = Placed { base, len: 0, tables: Vec::new() };
        for table in self.tables() {
            let place = table.place(&contents, placed.len)?;
            placed.len = place.end();
            // Cannot fail: there are no more tables than places.
            let pushed = placed.tables.push(place);
            debug_assert!(pushed.is_ok());
        }
        Ok(placed)
    }
}

/// Where the tables of a set are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    base: Gpa,
    len: usize,
    tables: Vec<PlacedTable, MAX_TABLES>,
}

impl Placed {
    /// The RSDP's address: what `hvm_start_info.rsdp_paddr` takes.
    #[must_use]
    pub fn rsdp(&self) -> Gpa {
        self.base
    }

    /// Address of the set's first byte.
    #[must_use]
    pub const fn base(&self) -> Gpa {
        self.base
    }

    /// Bytes of the whole set.
    #[expect(clippy::len_without_is_empty, reason = "no set is empty: it has an RSDP")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The tables as they lie in memory.
    #[must_use]
    pub fn tables(&self) -> &[PlacedTable] {
        &self.tables
    }

    /// The table with this signature.
    #[must_use]
    pub fn table(&self, signature: [u8; 4]) -> Option<&PlacedTable> {
        self.tables.iter().find(|place| place.signature == signature)
    }
}
