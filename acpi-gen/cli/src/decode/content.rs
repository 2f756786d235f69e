//! From a table's bytes to what they say, for text and JSON alike.

use std::path::{Path, PathBuf};

use acpi_gen::{
    Error, Facs, FadtView, IoApic, Madt, MadtEntry, Oem, Rsdp, Slit, Srat, SratEntry, SubTable,
    Table, facs, fadt, madt, slit, srat, xsdt,
};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::blob;
use crate::table_source::Source;

/// A file name as text: one that is not UTF-8 gets replacement characters.
fn lossy<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

/// A decoded table. Numbers stay numbers; only bytes that nobody knows are text.
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
    /// What is not as the specification has it.
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

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content {
    Rsdp {
        revision: u8,
        oem_id: String,
        rsdt: u32,
        xsdt: Option<u64>,
    },
    Xsdt {
        tables: Vec<u64>,
    },
    Madt {
        local_apic_address: u32,
        pcat_compat: bool,
        entries: Vec<Entry>,
    },
    Srat {
        entries: Vec<Entry>,
    },
    Slit {
        localities: usize,
        distances: Vec<Vec<u8>>,
    },
    Fadt {
        version: String,
        hardware_reduced: Option<bool>,
        dsdt: Option<u64>,
        facs: Option<u64>,
    },
    Facs {
        version: u8,
        hardware_signature: u32,
    },
    /// Nothing is known beyond the header.
    Unknown {},
}

/// An entry of MADT or SRAT.
pub(super) struct Entry {
    pub(super) offset: usize,
    pub(super) kind: u8,
    pub(super) name: &'static str,
    pub(super) fields: Vec<(&'static str, Value)>,
}

pub(super) enum Value {
    Number(u64),
    /// A number that people read in hexadecimal.
    Hex(u64),
    /// Bytes of an unknown entry.
    Bytes(Vec<u8>),
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("type", &self.kind)?;
        for (name, value) in &self.fields {
            match value {
                Value::Number(number) | Value::Hex(number) => map.serialize_entry(name, number)?,
                Value::Bytes(bytes) => map.serialize_entry(name, &hex(bytes))?,
            }
        }
        map.end()
    }
}

/// Bytes as two digits each.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// A text field of a header without its padding of spaces or NUL.
fn field(bytes: &[u8]) -> String {
    let end =
        bytes.iter().rposition(|b| !matches!(b, 0 | b' ')).map_or(0, |last| last.saturating_add(1));
    bytes.get(..end).unwrap_or_default().escape_ascii().to_string()
}

/// Reads one table. What cannot be read is an error beside what can.
pub(super) fn decode(source: &Source) -> Decoded {
    let bytes = source.bytes.as_slice();
    let mut decoded = Decoded {
        file: source.file.clone(),
        address: source.address,
        signature: field(bytes.get(..4).unwrap_or(bytes)),
        length: bytes.len(),
        header: None,
        content: Content::Unknown {},
        errors: Vec::new(),
    };
    let content = if let Ok(rsdp) = Rsdp::parse(bytes) {
        decoded.signature = "RSD PTR ".to_owned();
        decoded.errors.extend(rsdp_sums(&rsdp));
        Ok(rsdp_content(&rsdp))
    } else if bytes.starts_with(&facs::SIGNATURE) {
        Facs::parse(bytes).map(|facs| Content::Facs {
            version: facs.version(),
            hardware_signature: facs.hardware_signature(),
        })
    } else {
        Table::parse(bytes).and_then(|table| table_content(&table, &mut decoded))
    };
    match content {
        Ok(content) => decoded.content = content,
        Err(error) => decoded.errors.push(error.to_string()),
    }
    decoded
}

fn rsdp_content(rsdp: &Rsdp<'_>) -> Content {
    Content::Rsdp {
        revision: rsdp.revision(),
        oem_id: field(&rsdp.oem_id()),
        rsdt: rsdp.rsdt(),
        xsdt: rsdp.xsdt().map(|xsdt| xsdt.0),
    }
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

fn table_content(table: &Table<'_>, decoded: &mut Decoded) -> Result<Content, Error> {
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
    let bytes = table.bytes();
    Ok(match table.signature() {
        xsdt::SIGNATURE | blob::RSDT => Content::Xsdt { tables: blob::addresses(*table) },
        madt::SIGNATURE => {
            let madt = Madt::parse(bytes)?;
            Content::Madt {
                local_apic_address: madt.local_apic_address(),
                pcat_compat: madt.pcat_compat(),
                entries: entries(madt.sub_tables(), madt_fields, &mut decoded.errors),
            }
        }
        srat::SIGNATURE => {
            let srat = Srat::parse(bytes)?;
            Content::Srat { entries: entries(srat.sub_tables(), srat_fields, &mut decoded.errors) }
        }
        slit::SIGNATURE => {
            let slit = Slit::parse(bytes)?;
            let distances = slit.rows().map(<[u8]>::to_vec).collect();
            Content::Slit { localities: slit.localities(), distances }
        }
        fadt::SIGNATURE => {
            let fadt = FadtView::parse(bytes)?;
            let (major, minor) = fadt.version();
            Content::Fadt {
                version: format!("{major}.{minor}"),
                hardware_reduced: fadt.hardware_reduced(),
                dsdt: fadt.dsdt().map(|address| address.0),
                facs: fadt.facs().map(|address| address.0),
            }
        }
        _ => Content::Unknown {},
    })
}

type Named = (&'static str, Vec<(&'static str, Value)>);

/// The entries of a table; one that is too short for its type is an error, and
/// the next is read.
fn entries<'a>(
    sub_tables: impl Iterator<Item = Result<SubTable<'a>, Error>>,
    fields: impl Fn(SubTable<'a>) -> Result<Named, Error>,
    errors: &mut Vec<String>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for entry in sub_tables {
        let named = entry.and_then(|entry| Ok((entry, fields(entry)?)));
        match named {
            Ok((SubTable { offset, kind, .. }, (name, fields))) => {
                entries.push(Entry { offset, kind, name, fields });
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    entries
}

fn number(value: impl Into<u64>) -> Value {
    Value::Number(value.into())
}

fn hexadecimal(value: impl Into<u64>) -> Value {
    Value::Hex(value.into())
}

fn unknown(entry: SubTable<'_>) -> Named {
    ("unknown type", vec![("bytes", Value::Bytes(entry.bytes.to_vec()))])
}

fn madt_fields(entry: SubTable<'_>) -> Result<Named, Error> {
    Ok(match MadtEntry::parse(entry)? {
        MadtEntry::LocalApic { uid, apic_id, flags } => (
            "Local APIC",
            vec![("uid", number(uid)), ("apic_id", number(apic_id)), ("flags", hexadecimal(flags))],
        ),
        MadtEntry::IoApic(IoApic { id, address, gsi_base }) => (
            "I/O APIC",
            vec![
                ("id", number(id)),
                ("address", hexadecimal(address)),
                ("gsi_base", number(gsi_base)),
            ],
        ),
        MadtEntry::InterruptOverride { bus, source, gsi, flags } => (
            "Interrupt Source Override",
            vec![
                ("bus", number(bus)),
                ("source", number(source)),
                ("gsi", number(gsi)),
                ("flags", hexadecimal(flags)),
            ],
        ),
        MadtEntry::LocalApicNmi { uid, flags, lint } => (
            "Local APIC NMI",
            vec![("uid", number(uid)), ("flags", hexadecimal(flags)), ("lint", number(lint))],
        ),
        MadtEntry::X2Apic { uid, apic_id, flags } => (
            "Local x2APIC",
            vec![
                ("uid", number(uid.0)),
                ("apic_id", number(apic_id.0)),
                ("flags", hexadecimal(flags)),
            ],
        ),
        MadtEntry::X2ApicNmi { uid, flags, lint } => (
            "Local x2APIC NMI",
            vec![("uid", number(uid.0)), ("flags", hexadecimal(flags)), ("lint", number(lint))],
        ),
        _ => unknown(entry),
    })
}

fn srat_fields(entry: SubTable<'_>) -> Result<Named, Error> {
    Ok(match SratEntry::parse(entry)? {
        SratEntry::LocalApic { domain, apic_id, flags, clock_domain } => (
            "Local APIC Affinity",
            vec![
                ("pxm", number(domain.0)),
                ("apic_id", number(apic_id)),
                ("flags", hexadecimal(flags)),
                ("clock_domain", number(clock_domain)),
            ],
        ),
        SratEntry::Memory { domain, base, length, flags } => (
            "Memory Affinity",
            vec![
                ("pxm", number(domain.0)),
                ("base", hexadecimal(base)),
                ("size", hexadecimal(length)),
                ("flags", hexadecimal(flags)),
            ],
        ),
        SratEntry::X2Apic { domain, apic_id, flags, clock_domain } => (
            "Local x2APIC Affinity",
            vec![
                ("pxm", number(domain.0)),
                ("apic_id", number(apic_id.0)),
                ("flags", hexadecimal(flags)),
                ("clock_domain", number(clock_domain)),
            ],
        ),
        _ => unknown(entry),
    })
}
