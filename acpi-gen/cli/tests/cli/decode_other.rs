//! `decode`: tables of real machines that a table set does not have.

use std::fs;

use serde_json::{Value, json};

use crate::support::{self, fix_sum};

/// A table of these fields behind its header.
fn table(signature: &str, revision: u8, body: &[&[u8]]) -> Vec<u8> {
    let mut bytes = signature.as_bytes().to_vec();
    bytes.extend([0; 4]);
    bytes.push(revision);
    bytes.extend([0; 27]);
    bytes.extend(body.concat());
    let len = u32::try_from(bytes.len()).unwrap();
    bytes[4..8].copy_from_slice(&len.to_le_bytes());
    fix_sum(&mut bytes);
    bytes
}

/// What `decode --json` says of the table, and its errors.
fn decode(bytes: &[u8]) -> (Value, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("table"), bytes).unwrap();
    let output = support::acpi_gen(folder.path(), &["decode", "table", "--json"]);
    let mut decoded: Value = serde_json::from_slice(&output.stdout).unwrap();
    let decoded = decoded[0].take();
    let errors: Vec<String> = serde_json::from_value(decoded["errors"].clone()).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!errors.is_empty())));
    // As text, each entry has a line.
    let output = support::acpi_gen(folder.path(), &["decode", "table"]);
    let entries = decoded["entries"].as_array().map_or(0, Vec::len);
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().count() > entries, "{lines}");
    (decoded, errors)
}

fn w(value: u16) -> [u8; 2] {
    value.to_le_bytes()
}

fn d(value: u32) -> [u8; 4] {
    value.to_le_bytes()
}

fn q(value: u64) -> [u8; 8] {
    value.to_le_bytes()
}

#[test]
fn hmat_of_both_revisions() {
    let domain =
        [&w(0)[..], &w(0), &d(40), &w(1), &w(0), &d(3), &d(7), &d(0), &q(0x1000), &q(0x2000)]
            .concat();
    let matrix = [
        &w(1)[..],
        &w(0),
        &d(32 + 8 + 12 + 12),
        &[0x10, 3, 1, 0],
        &d(2),
        &d(3),
        &d(0),
        &q(1000),
        &d(0),
        &d(1),
        &d(0),
        &d(1),
        &d(2),
        &w(1),
        &w(2),
        &w(3),
        &w(4),
        &w(5),
        &w(0xFFFF),
    ]
    .concat();
    let cache = [
        &w(2)[..],
        &w(0),
        &d(36),
        &d(5),
        &d(0),
        &q(1 << 30),
        &d(0x111),
        &w(1),
        &w(2),
        &w(8),
        &w(9),
    ]
    .concat();
    let (decoded, errors) = decode(&table("HMAT", 2, &[&d(0), &domain, &matrix, &cache]));
    assert_eq!(errors, [""; 0]);
    let expected = json!([
        { "offset": 40, "type": 0, "flags": 1, "initiator_pxm": 3, "memory_pxm": 7 },
        {
            "offset": 80, "type": 1, "flags": 16, "data_type": 3, "min_transfer_size": 1,
            "base_unit": 1000, "initiator_pxms": [0, 1], "target_pxms": [0, 1, 2],
            "values": [[1, 2, 3], [4, 5, 65535]]
        },
        {
            "offset": 144, "type": 2, "memory_pxm": 5, "size": 1 << 30, "attributes": 0x111,
            "address_mode": 1, "smbios_handles": [8, 9]
        },
    ]);
    assert_eq!(decoded["entries"], expected);
    let (decoded, _) = decode(&table("HMAT", 1, &[&d(0), &domain]));
    assert_eq!(decoded["entries"][0]["base"], 0x1000);
    assert_eq!(decoded["entries"][0]["size"], 0x2000);

    // Counts that the structure does not have room for, also such that wrap.
    for counts in [[&d(2)[..], &d(4)].concat(), [&d(u32::MAX)[..], &d(u32::MAX)].concat()] {
        let mut wrong = matrix.clone();
        wrong[12..20].copy_from_slice(&counts);
        let (decoded, errors) = decode(&table("HMAT", 2, &[&d(0), &wrong, &cache]));
        assert_eq!((decoded["entries"].as_array().unwrap().len(), errors.len()), (1, 1));
    }
    // A structure that is longer than the table, and one without its whole head.
    for rest in [&[&w(0)[..], &w(0), &d(u32::MAX)].concat()[..], &[0, 0, 0, 0]] {
        assert_eq!(decode(&table("HMAT", 2, &[&d(0), &domain, rest])).1.len(), 1);
    }
    // A type that no byte holds is not type 0.
    let mut unknown = domain;
    unknown[1] = 1;
    let (decoded, _) = decode(&table("HMAT", 2, &[&d(0), &unknown]));
    assert_eq!(decoded["entries"][0]["type"], 255);
}

#[test]
fn pptt_of_revision_3() {
    let node = [&[0, 28, 0, 0][..], &d(3), &d(0), &d(9), &d(2), &d(0x40), &d(0x5C)].concat();
    let cache =
        [&[1, 28, 0, 0][..], &d(0x7F), &d(0), &d(0x8000), &d(64), &[8, 2], &w(64), &d(17)].concat();
    let id = [&[2, 30, 0, 0][..], b"ABCD", &q(1), &q(2), &w(3), &w(4), &w(5)].concat();
    let (decoded, errors) = decode(&table("PPTT", 3, &[&node, &cache, &id]));
    assert_eq!(errors, [""; 0]);
    let expected = json!([
        {
            "offset": 36, "type": 0, "flags": 3, "parent": 0, "processor_uid": 9,
            "private_resources": [0x40, 0x5C]
        },
        {
            "offset": 64, "type": 1, "flags": 0x7F, "next_level": 0, "size": 0x8000, "sets": 64,
            "associativity": 8, "attributes": 2, "line_size": 64, "cache_id": 17
        },
        {
            "offset": 92, "type": 2, "vendor": "41 42 43 44", "level_1": 1, "level_2": 2,
            "major": 3, "minor": 4, "spin": 5
        },
    ]);
    assert_eq!(decoded["entries"], expected);
    // Revision 1 has no cache id.
    let mut old = cache[..24].to_vec();
    old[1] = 24;
    let (decoded, _) = decode(&table("PPTT", 1, &[&old]));
    assert!(decoded["entries"][0].get("cache_id").is_none());
    // More resources than bytes.
    let mut wrong = node;
    wrong[16] = 3;
    assert_eq!(decode(&table("PPTT", 3, &[&wrong])).1.len(), 1);
}

#[test]
fn msct_and_cedt() {
    let entry = [&[1, 22][..], &d(0), &d(3), &d(64), &q(1 << 40)].concat();
    let fixed = [&d(60)[..], &d(7), &d(1), &q(1 << 52), &d(0)].concat();
    let (decoded, errors) = decode(&table("MSCT", 1, &[&fixed, &entry]));
    assert_eq!((&decoded["max_domain"], errors.len()), (&json!(7), 0));
    let expected = json!([{
        "offset": 60, "type": 1, "first_pxm": 0, "last_pxm": 3, "max_processors": 64,
        "max_memory": 1_u64 << 40
    }]);
    assert_eq!(decoded["entries"], expected);

    let bridge = [&[0, 0][..], &w(32), &d(7), &d(1), &d(0), &q(0x1000), &q(0x2000)].concat();
    let window = |ways: u8, targets: &[u8]| {
        let len = u16::try_from(36 + targets.len()).unwrap();
        [
            &[1, 0][..],
            &w(len),
            &d(0),
            &q(1 << 40),
            &q(1 << 38),
            &[ways, 1],
            &w(0),
            &d(3),
            &w(6),
            &w(1),
            targets,
        ]
        .concat()
    };
    let maps = [&[2, 0][..], &w(24), &w(0), &[4, 2], &q(5), &q(6)].concat();
    let (decoded, errors) = decode(&table(
        "CEDT",
        1,
        &[
            &bridge,
            &window(1, &[d(7), d(8)].concat()),
            &window(8, &[d(1), d(2), d(3)].concat()),
            &maps,
        ],
    ));
    assert_eq!(errors, [""; 0]);
    assert_eq!(
        decoded["entries"][0],
        json!({ "offset": 36, "type": 0, "uid": 7, "cxl_version": 1, "base": 0x1000, "size": 0x2000 })
    );
    assert_eq!(decoded["entries"][1]["targets"], json!([7, 8]));
    assert_eq!(decoded["entries"][1]["restrictions"], 6);
    assert_eq!(decoded["entries"][2]["targets"], json!([1, 2, 3]));
    assert_eq!(decoded["entries"][3]["xor_maps"], json!([5, 6]));
    assert_eq!(decode(&table("CEDT", 1, &[&window(2, &[d(7), d(8)].concat())])).1.len(), 1);
}

#[test]
fn mcfg_spcr_and_hpet() {
    let entry = |segment: u16| [&q(0xE000_0000)[..], &w(segment), &[0, 255], &d(0)].concat();
    let (decoded, errors) = decode(&table("MCFG", 1, &[&q(0), &entry(0), &entry(1)]));
    assert_eq!(errors, [""; 0]);
    assert_eq!(decoded["entries"][1]["segment"], 1);
    assert_eq!(decoded["entries"][1]["last_bus"], 255);
    let cut = decode(&table("MCFG", 1, &[&q(0), &entry(0), &[0; 15]]));
    assert_eq!((cut.0["entries"].as_array().unwrap().len(), cut.1.len()), (1, 1));

    let mut body = [0; 44];
    body[8..16].copy_from_slice(&q(0x3F8));
    body[22] = 7;
    let (decoded, _) = decode(&table("SPCR", 2, &[&body]));
    assert_eq!((&decoded["register_address"], &decoded["baud_rate"]), (&json!(0x3F8), &json!(7)));
    assert!(decoded.get("precise_baud_rate").is_none());
    let (decoded, _) = decode(&table("SPCR", 4, &[&body, &d(115_200), &w(2), &w(88), b".\0"]));
    assert_eq!(decoded["precise_baud_rate"], 115_200);
    assert_eq!(decode(&table("SPCR", 2, &[&body[..43]])).1.len(), 1);

    let hpet = [&d(0x8086_A201)[..], &[0, 64, 0, 0], &q(0xFED0_0000), &[0], &w(128), &[1]].concat();
    let (decoded, _) = decode(&table("HPET", 1, &[&hpet]));
    assert_eq!(
        (&decoded["register_address"], &decoded["minimum_tick"]),
        (&json!(0xFED0_0000_u32), &json!(128))
    );
}

#[test]
fn entries_of_madt_and_srat_that_no_set_of_ours_has() {
    let wakeup = [&[0x10, 16][..], &w(1), &d(0), &q(0x7000)].concat();
    let (decoded, errors) =
        decode(&table("APIC", 7, &[&d(0xFEE0_0000), &d(0), &wakeup, &[0x18, 4, 0, 0]]));
    assert_eq!(errors, [""; 0]);
    let expected = json!({ "offset": 44, "type": 16, "version": 1, "mailbox": 0x7000 });
    assert_eq!(decoded["entries"][0], expected);
    let initiator = [&[5, 32, 0, 1][..], &d(4), &[0, 0, 1, 8], &[0; 12], &d(1), &d(0)].concat();
    let (decoded, errors) = decode(&table("SRAT", 3, &[&d(1), &q(0), &initiator, &[7, 2]]));
    assert_eq!(errors, [""; 0]);
    let expected = json!({
        "offset": 48, "type": 5, "handle_type": 1, "pxm": 4,
        "handle": "00 00 01 08 00 00 00 00 00 00 00 00 00 00 00 00", "flags": 1
    });
    assert_eq!(decoded["entries"][0], expected);

    let memory = |flags: u32| {
        [&[1, 40][..], &d(0), &w(0), &q(0), &q(4096), &d(0), &d(flags), &q(0)].concat()
    };
    let (decoded, _) = decode(&table("SRAT", 3, &[&d(1), &q(0), &memory(9), &memory(1)]));
    assert_eq!(decoded["entries"][0]["specific_purpose"], true);
    assert!(decoded["entries"][1].get("specific_purpose").is_none());

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("table"), table("SRAT", 3, &[&d(1), &q(0), &[7, 2]])).unwrap();
    let output = support::acpi_gen(folder.path(), &["decode", "table"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("0x7 RISC-V Interrupt Controller Affinity"), "{text}");
}
