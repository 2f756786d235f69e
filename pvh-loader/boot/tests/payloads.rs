//! Payloads packed by the tools themselves come out as the image that went in;
//! damaged ones give an error.
#![expect(clippy::expect_used, reason = "a test may fail")]

use std::fs;

use pvh_boot::decompress::{Error, MAX_IMAGE, elf_image};
use pvh_loader::Compression;

fn image(name: &str) -> Vec<u8> {
    fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/images/").to_owned() + name)
        .expect("the fixture is there")
}

#[test]
fn every_format_unpacks_to_the_image_that_was_packed() {
    let elf = image("elf64.elf");
    for name in ["plain", "gzip", "xz", "zstd", "lz4", "four-sectors-as-0"] {
        let file = image(&format!("{name}.bzimage"));
        assert!(elf_image(&file).expect(name) == elf, "{name}");
    }
    assert!(elf_image(&elf).expect("an ELF file is taken as it is") == elf);
}

#[test]
fn damaged_payloads_give_their_own_error() {
    use Compression::{Gzip, Lz4Legacy, Xz, Zstd};
    let long = "it unpacks to more bytes than its last four say";
    let damaged = |format, what| Error::Damaged { format, what };
    for (name, error) in [
        ("gzip-size-wrong", damaged(Gzip, long)),
        ("lz4-size-wrong", damaged(Lz4Legacy, long)),
        ("zstd-size-wrong", damaged(Zstd, long)),
        ("gzip-unpacks-to-4gib", Error::TooLarge { size: u32::MAX, max: MAX_IMAGE }),
        ("truncated-gzip", damaged(Gzip, "its deflate stream ends early")),
        ("truncated-xz", damaged(Xz, "the xz stream is not valid or ends early")),
        ("truncated-zstd", damaged(Zstd, "the zstd stream is not valid or ends early")),
        ("truncated-lz4", damaged(Lz4Legacy, "the lz4 stream ends early")),
    ] {
        let refused = elf_image(&image(&format!("{name}.bzimage"))).err();
        assert_eq!(refused, Some(error), "{name}");
    }
}

#[test]
fn no_cut_and_no_flipped_byte_passes_as_the_image() {
    let elf = image("elf64.elf");
    for name in ["gzip", "xz", "zstd", "lz4"] {
        let file = image(&format!("{name}.bzimage"));
        for at in 0x410..file.len() {
            assert!(elf_image(&file[..at]).is_err(), "{name} cut to {at} bytes");
            let mut flipped = file.clone();
            flipped[at] ^= 0x40;
            // A flip in what has no check (gzip's time, zstd's and lz4's contents) may
            // unpack; never to another length.
            if let Ok(image) = elf_image(&flipped) {
                assert_eq!(image.len(), elf.len(), "{name} with byte {at} flipped");
            }
        }
    }
}
