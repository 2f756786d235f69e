//! The tables of every topology in fixtures/, byte for byte.
//!
//! CONTRIBUTING.md, "Bless goldens", has the commands that write them anew;
//! fixtures/README.md describes the folders and what verifies them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::{annotate, support};

/// Sets with FADT, FACS and DSDT; the others have what a hypervisor adds to
/// tables of its own.
const COMPLETE: [&str; 6] =
    ["epyc-7413-nps4", "hotplug", "hybrid-254-256", "one-cpu", "pxm-0-2-5", "vcpus-4096-nodes-64"];

/// Another version writes other texts.
const IASL_VERSION: &str = "20200925";

/// Above this size in bytes a table is kept as its SHA-256: text and disassembly are
/// thirty times the bytes, and smaller sets have every kind of entry.
const LARGEST: usize = 4 * 1024;

#[test]
fn every_topology_gives_its_golden_tables() {
    let root = support::root();
    let topologies = support::files(&root.join("fixtures/topologies"), ".toml");
    assert!(topologies.len() >= 10, "{} topologies", topologies.len());
    let names: Vec<&str> =
        topologies.iter().map(|name| name.strip_suffix(".toml").unwrap()).collect();
    assert!(COMPLETE.iter().all(|name| names.contains(name)));
    let goldens = root.join("fixtures/golden");
    for name in &names {
        let made = make(&root, name);
        let golden = goldens.join(name);
        if support::update() {
            let texts = if support::update_texts() {
                disassemble(&made)
            } else {
                committed_texts(&golden, &made)
            };
            let _ = fs::remove_dir_all(&golden);
            fs::create_dir_all(&golden).unwrap();
            for (file, bytes) in made.iter().chain(&texts) {
                fs::write(golden.join(file), bytes).unwrap();
            }
        }
        for (file, bytes) in &made {
            let path = golden.join(file);
            let expected = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            if let (Ok(text), Ok(expected)) = (str::from_utf8(bytes), str::from_utf8(&expected)) {
                assert_eq!(text, expected, "{}", path.display());
            }
            assert!(*bytes == expected, "{} differs", path.display());
        }
        // Beside these, the disassembly of each table that is there as bytes.
        let stale: Vec<String> = support::files(&golden, "")
            .into_iter()
            .filter(|file| {
                let table = file.strip_suffix(".dsl").map(|stem| format!("{stem}.dat"));
                !made.contains_key(&table.unwrap_or_else(|| file.clone()))
            })
            .collect();
        assert!(stale.is_empty(), "{}: {stale:?} are of no table", golden.display());
    }
    let folders = support::files(&goldens, "");
    assert_eq!(folders, names, "folders in {}", goldens.display());
}

/// The files of a golden folder, without the disassembly: bytes and annotated
/// text for each table, SHA256SUMS for the large ones.
fn make(root: &Path, name: &str) -> BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    let topology = format!("fixtures/topologies/{name}.toml");
    let mut args = vec!["emit", &topology, "--out", out.path().to_str().unwrap()];
    if COMPLETE.contains(&name) {
        args.push("--complete");
    }
    let output = support::acpi_gen(root, &args);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let mut made = BTreeMap::new();
    let mut sums = String::new();
    for file in support::files(out.path(), "") {
        let bytes = fs::read(out.path().join(&file)).unwrap();
        if file == "tables.bin" || bytes.len() > LARGEST {
            let sum: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
            sums.push_str(&format!("{sum}  {file}\n"));
            continue;
        }
        made.insert(file.replace(".dat", ".txt"), annotate::table(&bytes).into_bytes());
        made.insert(file, bytes);
    }
    made.insert("SHA256SUMS".to_owned(), sums.into_bytes());
    made
}

/// The disassembly of each table that the golden folder has now. Where a table has
/// changed its text is outdated, which the stage goldens reports.
fn committed_texts(golden: &Path, made: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let names = made.keys().filter(|file| has_text(file)).map(|file| file.replace(".dat", ".dsl"));
    names.filter_map(|name| Some((name.clone(), fs::read(golden.join(name)).ok()?))).collect()
}

/// iasl cannot disassemble an RSDP.
fn has_text(file: &str) -> bool {
    file.ends_with(".dat") && file != "rsdp.dat"
}

/// iasl's text for each table, without what changes from run to run and without
/// the bytes, which have a file of their own.
fn disassemble(made: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let mut texts = BTreeMap::new();
    let command = std::env::var("IASL").unwrap_or_else(|_| "iasl".to_owned());
    let words: Vec<&str> = command.split_whitespace().collect();
    for (file, bytes) in made.iter().filter(|(file, _)| has_text(file)) {
        fs::write(folder.path().join(file), bytes).unwrap();
        let mut iasl = Command::new(words[0]);
        let output = iasl.args(&words[1..]).args(["-d", file]).current_dir(folder.path()).output();
        let said = output.map_or_else(
            |error| error.to_string(),
            |output| String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        );
        assert!(
            said.contains(&format!("version {IASL_VERSION}")),
            "no iasl {IASL_VERSION}: {command}: {said}; expected one of:\n  \
             IASL=\"$PWD/.ci/in-root $(.ci/debian with-libs bookworm acpica-tools) usr/bin/iasl\", Debian bookworm's\n  \
             UPDATE_GOLDENS=bytes, which writes all goldens but iasl's texts (.dsl)"
        );
        let name = file.replace(".dat", ".dsl");
        let text = fs::read_to_string(folder.path().join(&name)).unwrap();
        texts.insert(name, strip(&text).into_bytes());
    }
    texts
}

fn strip(text: &str) -> String {
    let (_head, body) = text.split_once("*/\n").unwrap();
    let (body, _bytes) = body.split_once("\nRaw Table Data").unwrap_or((body, ""));
    let lines: Vec<&str> = body.trim().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
