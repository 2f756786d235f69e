//! Every image in fixtures/images, and the error that each bad one gives.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

use acpi_gen::{Gpa, GpaRange};
use pvh_loader::{Compression, Error, Kernel, Part, Payload, Relocation};

const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/images");

fn image(name: &str) -> Vec<u8> {
    fs::read(Path::new(IMAGES).join(name)).unwrap()
}

fn names(extension: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(IMAGES)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(extension))
        .collect();
    names.sort();
    names
}

const fn field(field: &'static str, value: u64, expected: &'static str) -> Error {
    Error::Field { field, value, expected }
}

const fn short(part: Part, offset: u64, len: u64, have: u64) -> Error {
    Error::Truncated { part, offset, len, have }
}

const fn larger(header: u16, file_size: u64, mem_size: u64) -> Error {
    Error::SegmentFileLarger { header, file_size, mem_size }
}

const fn past(header: u16, address: u64, size: u64) -> Error {
    Error::SegmentPast4GiB { header, address: Gpa(address), size }
}

fn range(start: u64, end: u64) -> GpaRange {
    GpaRange::new(Gpa(start), Gpa(end)).unwrap()
}

const GOOD: [&str; 6] = [
    "elf32.elf",
    "elf64.elf",
    "notes-of-8.elf",
    "percpu-out-of-order.elf",
    "relocatable-by-default.elf",
    "relocatable.elf",
];

fn bad() -> Vec<(&'static str, Error)> {
    let overlap = Error::SegmentsOverlap {
        headers: (0, 1),
        first: range(0x100_0000, 0x100_2000),
        second: range(0x100_1FFF, 0x100_3FFF),
    };
    vec![
        ("big-endian.elf", field("EI_DATA", 2, "1, least byte first")),
        ("class-3.elf", field("EI_CLASS", 3, "1 (32 bits) or 2 (64 bits)")),
        ("entry-in-zeros.elf", Error::EntryOutside { entry: Gpa(0x100_0040) }),
        ("entry-note-of-6-bytes.elf", field("size of note PHYS32_ENTRY", 6, "4 or 8")),
        ("entry-outside.elf", Error::EntryOutside { entry: Gpa(0x100_2000) }),
        ("entry-past-4gib.elf", Error::EntryOutside { entry: Gpa(0x1_0100_0010) }),
        ("header-truncated.elf", short(Part::ElfHeader, 0, 64, 63)),
        ("ident-version-2.elf", field("EI_VERSION", 2, "1")),
        ("machine-arm64.elf", field("e_machine", 183, "3 (i386) or 62 (x86-64)")),
        ("no-note.elf", Error::NoEntryNote),
        ("no-program-headers.elf", field("e_phnum", 0, "1 to 128")),
        ("no-segment.elf", Error::NoSegments),
        ("not-elf.elf", Error::NotElf { magic: *b"\x7fELG" }),
        ("note-header-truncated.elf", short(Part::Note { header: 1 }, 0x218, 12, 8)),
        ("note-of-another-owner.elf", Error::NoEntryNote),
        ("note-size-wraps.elf", short(Part::Note { header: 1 }, 0x200, 16 + 0xFFFF_FFFF, 24)),
        ("note-too-long.elf", short(Part::Note { header: 1 }, 0x200, 16 + 9, 24)),
        ("notes-of-16.elf", field("p_align of a PT_NOTE segment", 16, "at most 4, or 8")),
        ("notes-past-the-file.elf", short(Part::NoteSegment { header: 1 }, 0x1030, 0x11, 0x1040)),
        ("program-headers-of-32-bytes.elf", field("e_phentsize", 32, "56")),
        ("program-headers-past-the-file.elf", short(Part::ProgramHeaders, 0x1008, 112, 0x1040)),
        ("program-headers-wrap.elf", short(Part::ProgramHeaders, u64::MAX - 7, 112, 0x1040)),
        ("relocatable-object.elf", field("e_type", 1, "2 (executable) or 3 (shared object)")),
        ("relocation-alignment-3.elf", field("alignment for relocation", 3, "a power of two")),
        ("relocation-of-4-words.elf", field("size of note PHYS32_RELOC", 16, "0, 4, 8 or 12")),
        ("segment-larger-in-the-file.elf", larger(0, 0x40, 0x3F)),
        ("segment-offset-wraps.elf", short(Part::Segment { header: 0 }, u64::MAX - 31, 64, 0x1040)),
        ("segment-past-the-file.elf", short(Part::Segment { header: 0 }, 0x1000, 0x41, 0x1040)),
        ("segment-wraps-2-64.elf", past(1, u64::MAX - 0xFFF, 0x2000)),
        ("segment-wraps-4gib.elf", past(1, 0xFFFF_F000, 0x1001)),
        ("segments-overlap.elf", overlap),
        ("too-many-program-headers.elf", field("e_phnum", 129, "1 to 128")),
        ("two-entries.elf", Error::TwoEntries { first: Gpa(0x100_0010), second: Gpa(0x100_0020) }),
    ]
}

#[test]
fn every_elf_fixture_is_expected_to_pass_or_to_fail() {
    let mut expected: Vec<_> = GOOD.iter().copied().chain(bad().iter().map(|it| it.0)).collect();
    expected.sort_unstable();
    assert_eq!(names(".elf"), expected);
}

#[test]
fn bad_images_give_their_own_error() {
    for (name, error) in bad() {
        assert_eq!(Kernel::parse(&image(name)).err(), Some(error), "{name}");
    }
}

#[test]
fn errors_name_the_field_and_the_value() {
    let message = |name| Kernel::parse(&image(name)).unwrap_err().to_string();
    assert_eq!(message("no-program-headers.elf"), "e_phnum is 0 (0x0): 1 to 128 would be right");
    assert_eq!(
        message("segment-past-the-file.elf"),
        "the segment of program header 0, at offset 0x1000, takes 65 bytes, but there are 4160"
    );
    assert_eq!(
        message("segment-wraps-4gib.elf"),
        "program header 1 places 0x1001 bytes at 0xfffff000: the end must not be above 4 GiB"
    );
    assert_eq!(message("entry-outside.elf"), "entry point 0x1002000 lies in no segment's contents");
}

#[test]
fn good_images_give_entry_span_and_contents() {
    for name in GOOD {
        let file = image(name);
        let kernel = Kernel::parse(&file).unwrap();
        assert_eq!(kernel.entry(), Gpa(0x100_0010), "{name}");
        assert_eq!(kernel.span().start(), Gpa(0x100_0000), "{name}");
        let first = kernel.segments().next().unwrap();
        assert_eq!(first.range, range(0x100_0000, 0x100_2000), "{name}");
        assert_eq!(first.bytes, &file[0x1000..0x1040], "{name}");
    }
    let file = image("percpu-out-of-order.elf");
    let kernel = Kernel::parse(&file).unwrap();
    assert_eq!(kernel.span(), range(0x100_0000, 0x100_4040));
    let starts: Vec<_> = kernel.segments().map(|segment| segment.range.start().0).collect();
    assert_eq!(starts, [0x100_0000, 0x100_4000, 0x100_2000]);
}

#[test]
fn relocation_comes_from_the_note_and_else_from_the_segments() {
    let of = |name| Kernel::parse(&image(name)).unwrap().relocation();
    assert_eq!(of("elf64.elf"), None);
    let (min, max) = (Gpa(0x100_0000), Gpa(0x3FFF_FFFF));
    assert_eq!(of("relocatable.elf"), Some(Relocation { align: 0x20_0000, min, max }));
    let (min, max) = (Gpa(0), Gpa(0xFFFF_FFFF));
    assert_eq!(of("relocatable-by-default.elf"), Some(Relocation { align: 0x1000, min, max }));
}

#[test]
fn an_image_cut_at_any_byte_is_refused() {
    for name in GOOD {
        let file = image(name);
        for len in 0..file.len() {
            assert!(Kernel::parse(&file[..len]).is_err(), "{name} cut to {len} bytes");
        }
    }
}

#[test]
fn payloads_are_found_by_their_format() {
    let of = |name| {
        let file = image(name);
        Payload::find(&file).map(|payload| (payload.compression, payload.bytes.len()))
    };
    assert_eq!(of("plain.bzimage"), Ok((Compression::None, 4160)));
    let packed = |name| of(name).unwrap().0;
    assert_eq!(packed("gzip.bzimage"), Compression::Gzip);
    assert_eq!(packed("xz.bzimage"), Compression::Xz);
    assert_eq!(packed("zstd.bzimage"), Compression::Zstd);
    assert_eq!(packed("lz4.bzimage"), Compression::Lz4Legacy);
    assert_eq!(of("four-sectors-as-0.bzimage"), of("gzip.bzimage"));

    assert_eq!(of("no-boot-flag.bzimage"), Err(field("boot_flag", 0x55AA, "0xaa55")));
    let hdrs = "0x48647253 (\"HdrS\")";
    assert_eq!(of("no-hdrs.bzimage"), Err(field("header", 0x4864_7254, hdrs)));
    assert_eq!(of("protocol-2.07.bzimage"), Err(field("version", 0x207, "0x0208 or more")));
    assert_eq!(
        of("setup-header-truncated.bzimage"),
        Err(short(Part::SetupHeader, 0, 0x250, 0x24F))
    );
    let whole = u64::try_from(image("gzip.bzimage").len()).unwrap();
    assert_eq!(
        of("truncated-payload.bzimage"),
        Err(short(Part::Payload, 0x410, whole - 0x410, whole - 1))
    );
    assert_eq!(
        of("payload-of-bzip2.bzimage"),
        Err(Error::UnknownCompression { magic: *b"BZh91A" })
    );
}

#[test]
fn a_bzimage_is_told_from_an_elf_file() {
    assert!(Payload::is_bzimage(&image("gzip.bzimage")));
    assert!(!Payload::is_bzimage(&image("elf64.elf")));
    assert!(!Payload::is_bzimage(&[]));
}
