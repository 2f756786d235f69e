//! SLIT: relative distances between proximity domains. ACPI 6.5, 5.2.17.

use zerocopy::{FromBytes, little_endian::U64};

use crate::{
    Distance, Error, ProximityDomain, Show, Table, Topology, Value,
    acpi_table::{AcpiTable, Contents},
    table::{self, HEADER_LEN},
    wire::wire,
};

/// Signature of the SLIT.
pub const SIGNATURE: [u8; 4] = *b"SLIT";
const REVISION: u8 = 1;
/// Offset of the matrix.
const MATRIX: usize = HEADER_LEN.saturating_add(size_of::<RawSlit>());

wire! { RawSlit: 8 {
    localities: U64 = 0,
} }

/// The SLIT's length in bytes: the matrix is indexed by proximity domain, so it
/// has a row for every number up to the highest.
///
/// # Errors
/// [`Error::TableTooLarge`] where it passes 4 GiB.
pub fn len(topology: &Topology<'_>) -> Result<usize, Error> {
    let localities = side(topology);
    table::table_len(SIGNATURE, MATRIX, &[(localities, localities)])
}

/// Writes the SLIT to the start of `buffer` and returns its length. Rows and
/// columns of domains that nothing names hold 10 and 20: zeros there would make
/// consumers drop the whole table.
///
/// # Errors
/// [`Error::BufferTooSmall`], with the buffer untouched, and those of [`len`].
pub fn emit(topology: &Topology<'_>, buffer: &mut [u8]) -> Result<usize, Error> {
    let description = topology.description();
    let localities = side(topology);
    let kind = table::HeaderFields { signature: SIGNATURE, revision: REVISION };
    table::emit(kind, &description.oem, len(topology)?, buffer, |to| {
        to.put(&RawSlit { localities: U64::new(u64::from(topology.localities())) });
        let distances = description.distances;
        let mut named = distances
            .domains
            .iter()
            .zip(distances.matrix.chunks_exact(distances.domains.len().max(1)))
            .peekable();
        for from in 0..topology.localities() {
            let Some(row) = to.take(localities) else { return };
            row.fill(Distance::REMOTE.get());
            put(row, ProximityDomain(from), Distance::LOCAL);
            // Domains ascend, so the next named row is this one or a later one.
            if let Some((_, values)) = named.next_if(|(domain, _)| domain.0 == from) {
                for (to, value) in distances.domains.iter().zip(values) {
                    put(row, *to, *value);
                }
            }
        }
    })
}

fn put(row: &mut [u8], column: ProximityDomain, value: Distance) {
    if let Some(cell) = usize::try_from(column.0).ok().and_then(|column| row.get_mut(column)) {
        *cell = value.get();
    }
}

fn side(topology: &Topology<'_>) -> usize {
    usize::try_from(topology.localities()).unwrap_or(usize::MAX)
}

/// A parsed SLIT, as a bounded view.
#[derive(Clone, Copy, Debug)]
pub struct Slit<'a> {
    table: Table<'a>,
    localities: usize,
    matrix: &'a [u8],
}

impl<'a> Slit<'a> {
    /// Reads the table; bytes behind the matrix are left alone.
    ///
    /// # Errors
    /// Those of [`Table::parse`], [`Error::WrongSignature`], and
    /// [`Error::SlitSize`] where the table is too short for its localities.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let table = Table::parse_as(bytes, SIGNATURE, MATRIX)?;
        let Ok((fixed, cells)) = RawSlit::ref_from_prefix(table.from(HEADER_LEN)) else {
            let have = table.bytes().len();
            return Err(Error::TableTruncated { signature: SIGNATURE, needed: MATRIX, have });
        };
        let stated = fixed.localities.get();
        usize::try_from(stated)
            .ok()
            .and_then(|n| Some((n, cells.get(..n.checked_mul(n)?)?)))
            .map(|(localities, matrix)| Self { table, localities, matrix })
            .ok_or(Error::SlitSize { localities: stated, have: cells.len() })
    }

    /// The table's header and bytes.
    #[must_use]
    pub const fn table(&self) -> &Table<'a> {
        &self.table
    }

    /// Rows, and columns: one more than the highest domain that it speaks of.
    pub(crate) const fn localities(&self) -> usize {
        self.localities
    }

    /// The rows in order, each as bytes.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.matrix.chunks_exact(self.localities.max(1))
    }

    /// The distance between two domains, any byte; `None` past the matrix.
    #[must_use]
    pub fn distance(&self, from: ProximityDomain, to: ProximityDomain) -> Option<u8> {
        let column = usize::try_from(to.0).ok()?;
        self.rows().nth(usize::try_from(from.0).ok()?)?.get(column).copied()
    }
}

impl AcpiTable for Slit<'_> {
    const SIGNATURE: [u8; 4] = SIGNATURE;
    const IS_SIGNED: bool = true;

    fn is_in(contents: &Contents<'_>) -> bool {
        contents.topology.localities() > 0
    }

    fn len(contents: &Contents<'_>) -> Result<usize, Error> {
        len(&contents.topology)
    }

    fn emit(contents: &Contents<'_>, _: &[u8], buffer: &mut [u8]) -> Result<usize, Error> {
        emit(&contents.topology, buffer)
    }

    fn show(bytes: &[u8], to: &mut impl Show) -> Result<(), Error> {
        let slit = Slit::parse(bytes)?;
        let localities = u64::try_from(slit.localities()).unwrap_or(u64::MAX);
        to.field("localities", Value::Decimal(localities));
        to.list("distances");
        slit.rows().for_each(|row| to.item(Value::Row(row)));
        Ok(())
    }
}
