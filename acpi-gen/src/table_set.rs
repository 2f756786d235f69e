//! A whole set of tables in one block of memory. Size first, then place, then
//! emit: sizes hold no address, so nothing is computed twice.

use heapless::Vec;

use crate::{
    AcpiVersion, Error, Fadt, Gpa, Revisions, Topology, dsdt, facs, fadt, madt, rsdp, slit, srat,
    xsdt,
};

/// The most tables that a set has: RSDP, XSDT, FADT, MADT, SRAT, SLIT, DSDT, FACS.
pub const MAX_TABLES: usize = 8;
/// The RSDP is found by a scan in steps of 16 bytes where nobody passes its address.
const RSDP_ALIGN: usize = 16;
/// Tables stand on 8 bytes, so that the XSDT's addresses are aligned.
const TABLE_ALIGN: usize = 8;

/// Signature under which [`Placed`] lists the RSDP.
const RSDP: [u8; 4] = *b"RSDP";

/// What to emit: the tables that follow from a topology, and the addresses of
/// tables that somebody else made.
///
/// In memory: RSDP, XSDT, FADT, MADT, SRAT, SLIT, DSDT, FACS, as far as the set
/// has them; SRAT and SLIT are left out where nothing has a proximity domain.
#[derive(Clone, Copy, Debug)]
pub struct TableSet<'a> {
    topology: &'a Topology<'a>,
    fadt: Option<AcpiVersion>,
    hypervisor_vendor: [u8; 8],
    foreign: &'a [Gpa],
}

impl<'a> TableSet<'a> {
    /// RSDP, XSDT, MADT, SRAT and SLIT.
    #[must_use]
    pub const fn new(topology: &'a Topology<'a>) -> Self {
        Self { topology, fadt: None, hypervisor_vendor: [0; 8], foreign: &[] }
    }

    /// All that a PVH guest needs: also FADT, DSDT and FACS.
    ///
    /// # Errors
    /// [`Error::FadtNotOurs`] where the description's revisions follow another FADT.
    pub const fn complete(topology: &'a Topology<'a>) -> Result<Self, Error> {
        match topology.description().revisions {
            Revisions::Acpi(version) => Ok(Self { fadt: Some(version), ..Self::new(topology) }),
            Revisions::MadtOf(_) => Err(Error::FadtNotOurs),
        }
    }

    /// Sets the FADT's hypervisor vendor identity.
    #[must_use]
    pub const fn with_hypervisor_vendor(mut self, vendor: [u8; 8]) -> Self {
        self.hypervisor_vendor = vendor;
        self
    }

    /// Adds addresses of further tables to the XSDT, behind the set's own: a
    /// hypervisor passes the host's tables through, a loader the firmware's.
    #[must_use]
    pub const fn with_tables(mut self, addresses: &'a [Gpa]) -> Self {
        self.foreign = addresses;
        self
    }

    /// What the base address must be a multiple of, in bytes.
    #[must_use]
    pub const fn align(&self) -> usize {
        if self.fadt.is_some() { facs::ALIGN } else { RSDP_ALIGN }
    }

    /// Bytes of the whole set. No address enters.
    ///
    /// # Errors
    /// [`Error::TableTooLarge`], [`Error::TooManyProcessorDevices`].
    #[expect(clippy::len_without_is_empty, reason = "no set is empty: it has an RSDP")]
    pub fn len(&self) -> Result<usize, Error> {
        self.layout(Gpa(0)).map(|placed| placed.len)
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
        let size = u64::try_from(placed.len).unwrap_or(u64::MAX);
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
        let (needed, have) = (placed.len, buffer.len());
        let buffer = buffer.get_mut(..needed).ok_or(Error::BufferTooSmall { needed, have })?;
        let oem = &self.topology.description().oem;

        let mut own: Vec<Gpa, MAX_TABLES> = Vec::new();
        let mut end = 0;
        for piece in placed.tables() {
            // The gap in front of the table, then the table.
            buffer.get_mut(end..piece.offset).unwrap_or_default().fill(0);
            end = piece.offset.saturating_add(piece.len);
            let into = buffer.get_mut(piece.offset..end).unwrap_or_default();
            match piece.signature {
                madt::SIGNATURE => madt::emit(self.topology, into)?,
                srat::SIGNATURE => srat::emit(self.topology, into)?,
                slit::SIGNATURE => slit::emit(self.topology, into)?,
                dsdt::SIGNATURE => dsdt::emit(self.topology, into)?,
                fadt::SIGNATURE => match self.fadt {
                    Some(version) => fadt::emit(&self.fadt(version, &placed), oem, into)?,
                    None => 0,
                },
                // RSDP, XSDT and FACS follow from the others.
                _ => continue,
            };
            if piece.signature != dsdt::SIGNATURE {
                // Cannot fail: there are no more pieces than places.
                let pushed = own.push(piece.address);
                debug_assert!(pushed.is_ok());
            }
        }
        for piece in placed.tables() {
            let end = piece.offset.saturating_add(piece.len);
            match piece.signature {
                RSDP => {
                    let xsdt = placed.address(xsdt::SIGNATURE).unwrap_or(base);
                    let into = buffer.get_mut(piece.offset..end).unwrap_or_default();
                    rsdp::emit(oem, xsdt, into)?;
                }
                xsdt::SIGNATURE => {
                    let into = buffer.get_mut(piece.offset..end).unwrap_or_default();
                    xsdt::emit(oem, &own, self.foreign, into)?;
                }
                facs::SIGNATURE => {
                    let signature = signature_of(buffer, &placed);
                    let into = buffer.get_mut(piece.offset..end).unwrap_or_default();
                    facs::emit(signature, into)?;
                }
                _ => {}
            }
        }
        Ok(placed)
    }

    fn fadt(&self, version: AcpiVersion, placed: &Placed) -> Fadt {
        Fadt {
            version,
            facs: placed.address(facs::SIGNATURE).unwrap_or(placed.base),
            dsdt: placed.address(dsdt::SIGNATURE).unwrap_or(placed.base),
            hypervisor_vendor: self.hypervisor_vendor,
        }
    }

    fn layout(&self, base: Gpa) -> Result<Placed, Error> {
        let affinity = self.topology.localities() > 0;
        let complete = self.fadt.is_some();
        let own = [complete, true, affinity, affinity].into_iter().filter(|has| *has).count();
        let mut placed = Placed { base, len: 0, tables: Vec::new() };
        placed.push(RSDP, rsdp::LEN, RSDP_ALIGN);
        let xsdt_len = xsdt::len(own.saturating_add(self.foreign.len()))?;
        placed.push(xsdt::SIGNATURE, xsdt_len, TABLE_ALIGN);
        if complete {
            placed.push(fadt::SIGNATURE, fadt::LEN, TABLE_ALIGN);
        }
        placed.push(madt::SIGNATURE, madt::len(self.topology)?, TABLE_ALIGN);
        if affinity {
            placed.push(srat::SIGNATURE, srat::len(self.topology)?, TABLE_ALIGN);
            placed.push(slit::SIGNATURE, slit::len(self.topology)?, TABLE_ALIGN);
        }
        if complete {
            placed.push(dsdt::SIGNATURE, dsdt::len(self.topology)?, TABLE_ALIGN);
            placed.push(facs::SIGNATURE, facs::LEN, facs::ALIGN);
        }
        Ok(placed)
    }
}

/// The CRC over the tables that hold no address, in the order of
/// [`facs::hardware_signature`].
fn signature_of(buffer: &[u8], placed: &Placed) -> u32 {
    let order = [madt::SIGNATURE, srat::SIGNATURE, slit::SIGNATURE, dsdt::SIGNATURE];
    facs::hardware_signature(
        order
            .iter()
            .filter_map(|signature| placed.table(*signature))
            .filter_map(|piece| buffer.get(piece.offset..piece.offset.saturating_add(piece.len))),
    )
}

/// Where the tables of a set stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    base: Gpa,
    len: usize,
    tables: Vec<PlacedTable, MAX_TABLES>,
}

/// One table of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedTable {
    /// The table's signature; "RSDP" for the RSDP.
    pub signature: [u8; 4],
    /// Offset from the set's start in bytes.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
    /// Address in the guest.
    pub address: Gpa,
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
        self.tables.iter().find(|piece| piece.signature == signature)
    }

    fn address(&self, signature: [u8; 4]) -> Option<Gpa> {
        self.table(signature).map(|piece| piece.address)
    }

    fn push(&mut self, signature: [u8; 4], len: usize, align: usize) {
        let offset = self.len.checked_next_multiple_of(align).unwrap_or(usize::MAX);
        let address = Gpa(self.base.0.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX)));
        self.len = offset.saturating_add(len);
        // Cannot fail: `layout` pushes at most MAX_TABLES.
        let pushed = self.tables.push(PlacedTable { signature, offset, len, address });
        debug_assert!(pushed.is_ok());
    }
}
