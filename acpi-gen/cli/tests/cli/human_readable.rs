//! Human-readable output compared with tests/expected; CONTRIBUTING.md, "Bless goldens",
//! has the commands that write it anew.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support;

#[test]
fn human_readable_output() {
    let root = support::root();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected");
    let out = tempfile::tempdir().unwrap();
    let to = out.path().to_str().unwrap();
    for (name, args) in [
        ("emit-epyc", &["emit", "fixtures/topologies/epyc-7413-nps4.toml"][..]),
        (
            "emit-hotplug",
            &["emit", "fixtures/topologies/hotplug.toml", "--complete", "--base", "1MiB"],
        ),
        ("emit-4096", &["emit", "fixtures/topologies/vcpus-4096-nodes-64.toml"]),
        ("decode-pxm-0-2-5", &["decode", "fixtures/golden/pxm-0-2-5"]),
        ("decode-hybrid", &["decode", "fixtures/golden/hybrid-254-256/apic.dat"]),
    ] {
        let mut args = args.to_vec();
        if name.starts_with("emit") {
            args.extend(["--out", to]);
        }
        let output = support::acpi_gen(&root, &args);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap().replace(to, "OUT");
        let expected = folder.join(format!("{name}.txt"));
        if support::update() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&expected, &text).unwrap();
        }
        assert_eq!(text, fs::read_to_string(&expected).unwrap(), "{name}");
    }
}

/// The contract: `vcpus` as plan has them, `slit`, and `files` relative to --out.
#[test]
fn emit_json() {
    let root = support::root();
    let out = tempfile::tempdir().unwrap();
    let to = out.path().to_str().unwrap();
    let args = ["emit", "fixtures/topologies/pxm-0-2-5.toml", "--json", "--out", to];
    let output = support::acpi_gen(&root, &args);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids: Vec<_> = json["vcpus"].as_array().unwrap().iter().map(|v| &v["apic_id"]).collect();
    assert_eq!(ids, [0, 2, 8, 10, 20, 22]);
    let last = r#"{"vcpu":5,"pcpu":null,"apic_id":22,"pxm":5,"pnode":null}"#;
    assert_eq!(json["vcpus"][5], serde_json::from_str::<Value>(last).unwrap());
    assert_eq!(json["slit"][2], serde_json::from_str::<Value>("[19,20,10,20,20,33]").unwrap());
    assert_eq!(json.as_object().unwrap().len(), 3);
    for file in json["files"].as_array().unwrap() {
        let bytes = fs::read(out.path().join(file["path"].as_str().unwrap())).unwrap();
        assert_eq!(file["length"], bytes.len());
        match file["signature"].as_str() {
            Some(signature) => assert!(bytes.starts_with(signature.as_bytes())),
            None => assert_eq!(file["path"], "tables.bin"),
        }
    }
    let names: Vec<_> = json["files"].as_array().unwrap().iter().map(|f| &f["path"]).collect();
    let expected = ["rsdp.dat", "xsdt.dat", "apic.dat", "srat.dat", "slit.dat", "tables.bin"];
    assert_eq!(names, expected);
    assert_eq!(support::files(out.path(), "").len(), expected.len());
}
