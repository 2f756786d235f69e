//! `acpi-gen decode` on dumps of any bytes: a table, or a whole set as it lies in
//! memory.

use crate::{Interest, cli};

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let text = cli::run(data, &["decode", "INPUT"]);
    let json = cli::run(data, &["decode", "INPUT", "--json"]);
    assert_eq!(text.status, json.status);
    assert_eq!(text.stderr, json.stderr);
    if json.stdout.is_empty() {
        assert_ne!(json.status, 0, "nothing said of nothing");
        return Interest::Reject;
    }
    let tables: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    for table in tables.as_array().expect("an array") {
        let length = table["length"].as_u64().expect("a length");
        assert!(length <= data.len() as u64, "longer than the file");
        let errors = table["errors"].as_array().expect("errors");
        assert!(json.status == 1 || errors.is_empty());
    }
    assert!(!text.stdout.is_empty());
    Interest::Keep
}
