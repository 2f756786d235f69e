//! A table as text: offset, bytes, field and value on each line. The layouts are
//! written here anew from the specification (ACPI 6.5; sections at each), so
//! that the text is a second reading of the bytes and not the library's.

mod layout;

use layout::{Field, HEADER, Show};

/// The text for a whole table, to its last byte.
pub(crate) fn table(bytes: &[u8]) -> String {
    let mut text = Text { bytes, offset: 0, out: String::new() };
    match bytes.first_chunk::<4>().unwrap() {
        b"RSD " => text.fields(layout::RSDP),
        b"FACS" => text.fields(layout::FACS),
        signature => {
            text.fields(HEADER);
            match signature {
                b"XSDT" => text.repeat(&[Field("table address", 8, Show::Hex)]),
                b"FACP" => text.fields(layout::FADT),
                b"APIC" => {
                    text.fields(layout::MADT);
                    text.entries(layout::madt_entry);
                }
                b"SRAT" => {
                    text.fields(layout::SRAT);
                    text.entries(layout::srat_entry);
                }
                b"SLIT" => text.slit(),
                _ => text.repeat(&[Field("AML", 16, Show::Bytes)]),
            }
        }
    }
    assert_eq!(text.offset, bytes.len(), "bytes behind what the layout knows");
    text.out
}

struct Text<'a> {
    bytes: &'a [u8],
    offset: usize,
    out: String,
}

impl Text<'_> {
    fn fields(&mut self, fields: &[Field]) {
        for &Field(name, len, show) in fields {
            self.field(name, len, show);
        }
    }

    fn field(&mut self, name: &str, len: usize, show: Show) {
        // The last line of AML may be short; `table` sees any other lack.
        let end = self.bytes.len().min(self.offset + len);
        let bytes = &self.bytes[self.offset..end];
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = show.value(bytes);
        let line = format!("{:04x}  {:<24} {name:<28} {value}", self.offset, digits.join(" "));
        self.out.push_str(line.trim_end());
        self.out.push('\n');
        self.offset = end;
    }

    fn repeat(&mut self, fields: &[Field]) {
        while self.offset < self.bytes.len() {
            self.fields(fields);
        }
    }

    fn entries(&mut self, layout: impl Fn(u8) -> &'static [Field]) {
        while self.offset < self.bytes.len() {
            self.out.push('\n');
            let fields = layout(self.bytes[self.offset]);
            let len: usize = fields.iter().map(|field| field.1).sum();
            assert_eq!(
                usize::from(self.bytes[self.offset + 1]),
                len,
                "entry at {:#x}",
                self.offset
            );
            self.fields(fields);
        }
    }

    fn slit(&mut self) {
        let at = self.offset;
        self.fields(layout::SLIT);
        let n = usize::from(self.bytes[at]) + 256 * usize::from(self.bytes[at + 1]);
        for row in 0..n {
            self.field(&format!("distances from {row}"), n, Show::Decimals);
        }
    }
}
