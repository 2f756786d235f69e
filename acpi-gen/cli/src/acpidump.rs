//! The text of acpidump, the form in which reports have tables: for each a line with
//! signature and address, then lines with offset, bytes and the bytes as characters.

use hv_glue_topology::number;

use crate::memory_dump::DumpedTable;

/// The tables of a text, and what of it cannot be read, by line.
pub(crate) struct AcpidumpText {
    pub(crate) tables: Vec<DumpedTable>,
    pub(crate) problems: Vec<(usize, String)>,
}

impl AcpidumpText {
    /// The tables of a file, or `None` if it has no such line.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut found = Self { tables: Vec::new(), problems: Vec::new() };
        // Lines with bytes belong to a table only right behind its first line.
        let mut inside = false;
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(address) = first_line(text) {
                found.tables.push(DumpedTable { address, bytes: Vec::new() });
                inside = true;
            } else if let Some((offset, mut bytes)) = data(text).filter(|_| inside) {
                let Some(table) = found.tables.last_mut() else { continue };
                if usize::try_from(offset) == Ok(table.bytes.len()) {
                    table.bytes.append(&mut bytes);
                } else {
                    let expected = table.bytes.len();
                    let what = format!("bytes at {offset:#x}; expected those at {expected:#x}");
                    found.problems.push((line, what));
                    inside = false;
                }
            } else {
                inside = false;
            }
        }
        (!found.tables.is_empty()).then_some(found)
    }
}

/// The address of a line such as "SLIT @ 0x7FFE0000", none where acpidump did not know it.
fn first_line(line: &str) -> Option<Option<u64>> {
    let (signature, address) = line.trim().split_once(" @ ")?;
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if signature != "RSD PTR" && (signature.len() != 4 || !is_name(signature)) {
        return None;
    }
    let address = number::parse(address.trim()).ok()?;
    Some((address != 0).then_some(address))
}

/// Offset and bytes of a line such as "    0030: 10 0A  ..".
fn data(line: &str) -> Option<(u64, Vec<u8>)> {
    let (offset, rest) = line.trim_start().split_once(": ")?;
    let offset = u64::from_str_radix(offset, 16).ok()?;
    // The characters are two spaces or more behind the bytes.
    let digits = rest.split("  ").next()?;
    let bytes: Option<Vec<u8>> = digits
        .split(' ')
        .map(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| byte.len() == 2))
        .collect();
    bytes.map(|bytes| (offset, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "some words\n\
        SLIT @ 0x000000007FFE1000\n    0000: 53 4C 49 54 2D 00 00 00 01 41 42 43 44 45 46 47  SLIT-....ABCDEFG\r\n    \
        0010: 31 32                                            12\n\n\
        RSD PTR @ 0x0\n  0000: 52 53  RS\n";

    fn tables(text: &str) -> Vec<(Option<u64>, usize)> {
        let parsed = AcpidumpText::parse(text.as_bytes()).unwrap();
        parsed.tables.iter().map(|table| (table.address, table.bytes.len())).collect()
    }

    #[test]
    fn tables_have_their_addresses_and_bytes() {
        assert_eq!(tables(TEXT), [(Some(0x7FFE_1000), 18), (None, 2)]);
        let bytes = &AcpidumpText::parse(TEXT.as_bytes()).unwrap().tables[0].bytes;
        assert_eq!(bytes[8..], *b"\x01ABCDEFG12");
    }

    #[test]
    fn a_gap_in_the_bytes_ends_the_table() {
        let text = TEXT.replace("0010:", "0020:");
        let parsed = AcpidumpText::parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.tables[0].bytes.len(), 16);
        assert_eq!(parsed.problems, [(4, "bytes at 0x20; expected those at 0x10".to_owned())]);
        assert_eq!(parsed.tables[1].bytes, b"RS");
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "no table\n0000: 53\n", "me @ home\n", "SLIT @ home\n", "slit @ 0x1\n"] {
            assert!(AcpidumpText::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
