//! Every broken topology file gets an error with its line, and no file is written.

use std::fs;
use std::path::Path;

use crate::support;

/// One line for each file of tests/bad, each named after its defect: what the
/// program prints on standard error.
#[test]
fn each_defect_is_named_with_its_line_and_nothing_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let names = support::files(&folder, ".toml");
    assert!(names.len() > 60, "{} files", names.len());
    let out = tempfile::tempdir().unwrap();
    let mut messages = String::new();
    for name in &names {
        for (subcommand, target) in [("emit", "tables"), ("initrd", "tables.cpio")] {
            let target = out.path().join(target);
            let args = [subcommand, name, "--out", target.to_str().unwrap()];
            let output = support::acpi_gen(&folder, &args);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{subcommand} {name}: {stderr}");
            assert!(output.stdout.is_empty(), "{subcommand} {name}");
            assert!(!target.exists(), "{subcommand} {name} wrote {}", target.display());
            if subcommand == "emit" {
                messages.push_str(&stderr);
            } else {
                assert!(messages.ends_with(&stderr), "{subcommand} {name}: {stderr}");
            }
        }
    }
    let expected = folder.join("expected.txt");
    if support::update() {
        fs::write(&expected, &messages).unwrap();
    }
    for (line, expected) in messages.lines().zip(fs::read_to_string(&expected).unwrap().lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(messages, fs::read_to_string(&expected).unwrap());
}

#[test]
fn a_missing_file_and_a_folder_in_its_place_are_input_errors() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder.toml")).unwrap();
    for name in ["missing.toml", "folder.toml"] {
        let output = support::acpi_gen(folder.path(), &["emit", name, "--out", "tables"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with(&format!("{name}:1: cannot be read: ")), "{stderr}");
        assert!(!folder.path().join("tables").exists(), "{name}");
    }
}

#[test]
fn wrong_arguments_are_usage_errors_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.toml"), "[[node]]\npxm = 0\ncpus = \"0\"\n").unwrap();
    for args in [
        &["emit", "t.toml"][..],
        &["emit", "--out", "tables"],
        &["emit", "t.toml", "--out", "tables", "--base", "ten"],
        &["emit", "t.toml", "--out", "tables", "--base", "8"],
        // FACS, in the complete set only, stands on 64 bytes.
        &["emit", "t.toml", "--out", "tables", "--base", "16", "--complete"],
        &["emit", "t.toml", "--out", "tables", "--base", "0xFFFFFFFFFFFFFFF0"],
        &["decode"],
        &["initrd", "t.toml", "--out", ".."],
        &[],
    ] {
        let output = support::acpi_gen(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
        assert_eq!(support::files(folder.path(), "").len(), 1, "{args:?}");
    }
}

#[test]
fn a_set_whose_last_file_cannot_be_written_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.toml"), "[[node]]\npxm = 0\ncpus = \"0\"\n").unwrap();
    fs::create_dir_all(folder.path().join("tables/tables.bin")).unwrap();
    let output = support::acpi_gen(folder.path(), &["emit", "t.toml", "--out", "tables"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("tables/tables.bin:1: is a folder"), "{stderr}");
    assert_eq!(support::files(&folder.path().join("tables"), ""), ["tables.bin"]);
}
