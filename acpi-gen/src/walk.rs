//! The walk over a machine's tables: RSDP, XSDT or RSDT, and the tables in its list.

use core::fmt;

use crate::{
    Error, Gpa, ListedTables, Rsdp, Table,
    acpi_table::AcpiTable,
    facs::{self, Facs},
    rsdp,
    table::HEADER_LEN,
};

/// Physical memory that contains tables.
pub trait Physical {
    /// The `len` bytes at `at`, or `None` if they cannot be read.
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]>;
}

/// A table in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundTable<'a> {
    /// Address of its first byte.
    pub address: Gpa,
    /// Its signature; "RSDP" for the RSDP.
    pub signature: [u8; 4],
    /// Exactly the table's length.
    pub bytes: &'a [u8],
}

impl<'a> FoundTable<'a> {
    /// The table at `at`, with the length of its header; a FACS too.
    ///
    /// # Errors
    /// [`WalkError`] if it cannot be read or parsed.
    pub fn at<P: Physical>(memory: &'a P, at: Gpa) -> Result<Self, WalkError> {
        let start = read(memory, at, size_of::<u64>())?;
        let signature = start.first_chunk().copied().unwrap_or_default();
        let wrong = |error| WalkError::Table { at, signature, error };
        let len = if signature == facs::SIGNATURE {
            Facs::parse(read(memory, at, facs::LEN)?).map_err(wrong)?.length()
        } else {
            match Table::parse(read(memory, at, HEADER_LEN)?) {
                Ok(table) => table.bytes().len(),
                Err(Error::TableTruncated { needed, .. }) => needed,
                Err(error) => return Err(wrong(error)),
            }
        };
        Ok(Self { address: at, signature, bytes: read(memory, at, len)? })
    }
}

/// Why a table was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkError {
    /// Memory that cannot be read.
    Unreadable {
        /// First address.
        at: Gpa,
        /// Bytes from there on.
        len: usize,
    },
    /// A table that cannot be parsed.
    Table {
        /// Its address.
        at: Gpa,
        /// Its signature, or the one that it should have.
        signature: [u8; 4],
        /// What is wrong with it.
        error: Error,
    },
}

impl WalkError {
    /// The table's address.
    #[must_use]
    pub const fn at(&self) -> Gpa {
        match *self {
            Self::Unreadable { at, .. } | Self::Table { at, .. } => at,
        }
    }
}

impl fmt::Display for WalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unreadable { at, len } => {
                write!(f, "table at {:#x}: {len} bytes cannot be read", at.0)
            }
            Self::Table { at, signature, error } => {
                write!(f, "table {} at {:#x}: {error}", signature.escape_ascii(), at.0)
            }
        }
    }
}

impl core::error::Error for WalkError {}

/// What the walk visits next.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Rsdp(Gpa),
    Root { at: Gpa, signature: [u8; 4] },
    Listed(ListedTables<'a>),
    End,
}

/// The tables that an RSDP leads to: the RSDP, the XSDT (an RSDT where there is none),
/// and those that it lists, in its order and as often as it lists them. A listed table
/// that cannot be read or parsed is an error, and the walk goes on; one of RSDP and root
/// ends it. Tables that the FADT points to are not visited: see [`FoundTable::at`].
#[derive(Clone, Copy, Debug)]
pub struct TableWalk<'a, P> {
    memory: &'a P,
    step: Step<'a>,
}

impl<'a, P: Physical> TableWalk<'a, P> {
    /// The walk from the RSDP at `rsdp`.
    #[must_use]
    pub const fn new(memory: &'a P, rsdp: Gpa) -> Self {
        Self { memory, step: Step::Rsdp(rsdp) }
    }

    fn rsdp(&mut self, at: Gpa) -> Result<FoundTable<'a>, WalkError> {
        let signature = Rsdp::SIGNATURE;
        let wrong = |error| WalkError::Table { at, signature, error };
        let mut bytes = read(self.memory, at, rsdp::LEN_V1)?;
        // One of revision 2 needs more, which its parser says.
        let rsdp = loop {
            match Rsdp::parse(bytes) {
                Err(Error::TableTruncated { needed, .. }) if needed > bytes.len() => {
                    bytes = read(self.memory, at, needed)?;
                }
                other => break other.map_err(wrong)?,
            }
        };
        let (root, root_signature) = rsdp.root();
        self.step = Step::Root { at: root, signature: root_signature };
        Ok(FoundTable { address: at, signature, bytes: rsdp.bytes() })
    }

    fn root(&mut self, at: Gpa, signature: [u8; 4]) -> Result<FoundTable<'a>, WalkError> {
        let found = FoundTable::at(self.memory, at)?;
        if found.signature != signature {
            let error = Error::WrongSignature { expected: signature, found: found.signature };
            return Err(WalkError::Table { at, signature, error });
        }
        self.step = Step::Listed(ListedTables::of(found.signature, found.bytes));
        Ok(found)
    }
}

impl<'a, P: Physical> Iterator for TableWalk<'a, P> {
    type Item = Result<FoundTable<'a>, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        match core::mem::replace(&mut self.step, Step::End) {
            Step::Rsdp(at) => Some(self.rsdp(at)),
            Step::Root { at, signature } => Some(self.root(at, signature)),
            Step::Listed(mut addresses) => {
                let at = addresses.next()?;
                self.step = Step::Listed(addresses);
                Some(FoundTable::at(self.memory, at))
            }
            Step::End => None,
        }
    }
}

impl<P: Physical> core::iter::FusedIterator for TableWalk<'_, P> {}

fn read<P: Physical>(memory: &P, at: Gpa, len: usize) -> Result<&[u8], WalkError> {
    memory.bytes(at, len).ok_or(WalkError::Unreadable { at, len })
}
