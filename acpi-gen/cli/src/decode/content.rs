//! From a table's bytes to its content, for text and JSON alike.

use std::path::{Path, PathBuf};

use acpi_gen::{Error, KnownTable, ListedTables, Oem, RSDT, Rsdp, Show, Table, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::table_source::Source;

/// A file name as text: one that is not UTF-8 gets replacement characters.
fn lossy<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

/// A decoded table. Numbers stay numbers; only unknown bytes are text.
#[derive(Serialize)]
pub(super) struct Decoded {
    #[serde(serialize_with = "lossy")]
    pub(super) file: PathBuf,
    pub(super) address: Option<u64>,
    pub(super) signature: String,
    pub(super) length: usize,
    #[serde(flatten)]
    pub(super) header: Option<Header>,
    #[serde(flatten)]
    pub(super) content: Content,
    /// What does not follow the specification.
    pub(super) errors: Vec<String>,
}

/// The common header's other fields.
#[derive(Serialize)]
pub(super) struct Header {
    pub(super) revision: u8,
    pub(super) oem_id: String,
    pub(super) oem_table_id: String,
    pub(super) oem_revision: u32,
}

/// What follows the header, in the table's order. Empty for an unknown table.
#[derive(Default)]
pub(super) struct Content {
    pub(super) fields: Vec<(&'static str, Cell)>,
    pub(super) list: Option<(&'static str, Vec<Item>)>,
    errors: Vec<String>,
}

/// An element of a table's list.
pub(super) enum Item {
    Cell(Cell),
    Entry(Entry),
}

/// An entry of a table with types of entries.
pub(super) struct Entry {
    pub(super) offset: usize,
    pub(super) kind: u8,
    pub(super) name: &'static str,
    pub(super) fields: Vec<(&'static str, Cell)>,
}

/// A [`Value`] that outlives its table.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Cell {
    Decimal(u64),
    Hex(u64),
    Address(Option<u64>),
    Flag(Option<bool>),
    Text(String),
    Row(Vec<u8>),
    Numbers(Vec<u64>),
    Matrix(Vec<Vec<u64>>),
}

/// Little-endian numbers of `width` bytes.
fn numbers(bytes: &[u8], width: usize) -> Vec<u64> {
    let number =
        |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    bytes.chunks(width.max(1)).map(number).collect()
}

impl From<Value<'_>> for Cell {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Decimal(number) => Self::Decimal(number),
            Value::Hex(number) => Self::Hex(number),
            Value::Address(address) => Self::Address(address),
            Value::Flag(flag) => Self::Flag(flag),
            Value::Version(major, minor) => Self::Text(format!("{major}.{minor}")),
            Value::Text(text) => Self::Text(field(text)),
            Value::Bytes(bytes) => Self::Text(hex(bytes)),
            Value::Row(row) => Self::Row(row.to_vec()),
            Value::Numbers(bytes, width) => Self::Numbers(numbers(bytes, width)),
            Value::Matrix(bytes, width, columns) => {
                let rows = numbers(bytes, width);
                Self::Matrix(rows.chunks(columns.max(1)).map(<[u64]>::to_vec).collect())
            }
        }
    }
}

impl Show for Content {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        let fields = match self.list.as_mut().and_then(|(_, items)| items.last_mut()) {
            Some(Item::Entry(entry)) => &mut entry.fields,
            _ => &mut self.fields,
        };
        fields.push((name, value.into()));
    }

    fn list(&mut self, name: &'static str) {
        self.list = Some((name, Vec::new()));
    }

    fn item(&mut self, value: Value<'_>) {
        if let Some((_, items)) = &mut self.list {
            items.push(Item::Cell(value.into()));
        }
    }

    fn entry(&mut self, offset: usize, kind: u8, name: &'static str) {
        if let Some((_, items)) = &mut self.list {
            items.push(Item::Entry(Entry { offset, kind, name, fields: Vec::new() }));
        }
    }

    fn error(&mut self, error: Error) {
        self.errors.push(error.to_string());
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        if let Some((name, items)) = &self.list {
            map.serialize_entry(name, items)?;
        }
        map.end()
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Cell(cell) => cell.serialize(serializer),
            Self::Entry(entry) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("offset", &entry.offset)?;
                map.serialize_entry("type", &entry.kind)?;
                for (name, value) in &entry.fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Bytes as two digits each.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// A text field of a header without its padding of spaces or NUL.
fn field(bytes: &[u8]) -> String {
    let end =
        bytes.iter().rposition(|b| !matches!(b, 0 | b' ')).map_or(0, |last| last.saturating_add(1));
    bytes.get(..end).unwrap_or_default().escape_ascii().to_string()
}

/// Decodes one table. What cannot be parsed is an error beside what can.
pub(super) fn decode(source: &Source) -> Decoded {
    let bytes = source.bytes.as_slice();
    let mut decoded = Decoded {
        file: source.file.clone(),
        address: source.address,
        signature: field(bytes.get(..4).unwrap_or(bytes)),
        length: bytes.len(),
        header: None,
        content: Content::default(),
        errors: Vec::new(),
    };
    let known = KnownTable::of(bytes);
    let shown = if known.is_none_or(KnownTable::has_header) {
        Table::parse(bytes).and_then(|table| table_content(&table, known, &mut decoded))
    } else {
        if let Ok(rsdp) = Rsdp::parse(bytes) {
            decoded.signature = "RSD PTR ".to_owned();
            decoded.errors.extend(rsdp_sums(&rsdp));
        }
        known.map_or(Ok(()), |known| known.show(bytes, &mut decoded.content))
    };
    decoded.errors.append(&mut decoded.content.errors);
    decoded.errors.extend(shown.err().map(|error| error.to_string()));
    decoded
}

fn rsdp_sums(rsdp: &Rsdp<'_>) -> Vec<String> {
    let (first, whole) = rsdp.sums();
    let wrong =
        |sum: u8, what| (sum != 0).then(|| format!("the sum of {what} is {sum:#x}: 0 is right"));
    [wrong(first, "the RSDP's first 20 bytes"), wrong(whole.unwrap_or(0), "all bytes of the RSDP")]
        .into_iter()
        .flatten()
        .collect()
}

fn table_content(
    table: &Table<'_>,
    known: Option<KnownTable>,
    decoded: &mut Decoded,
) -> Result<(), Error> {
    let Oem { id, table_id, revision } = table.oem();
    decoded.length = table.bytes().len();
    decoded.header = Some(Header {
        revision: table.revision(),
        oem_id: field(&id),
        oem_table_id: field(&table_id),
        oem_revision: revision,
    });
    if table.sum() != 0 {
        decoded.errors.push(format!("the sum of all bytes is {:#x}: 0 is right", table.sum()));
    }
    match known {
        Some(known) => known.show(table.bytes(), &mut decoded.content),
        None if table.signature() == RSDT => {
            decoded.content.list("tables");
            for address in ListedTables::of(RSDT, table.bytes()) {
                decoded.content.item(Value::Hex(address.0));
            }
            Ok(())
        }
        None => Ok(()),
    }
}
