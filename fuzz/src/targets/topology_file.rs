//! Topology files of any text: an error with its line, or tables that decode
//! without one.

use crate::{Interest, cli};

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    // One CPU of a large number, or one domain, makes large tables of a short file.
    let emitted = cli::run(data, &["emit", "INPUT", "--out", "OUT", "--complete", "--json"]);
    if emitted.status != 0 {
        return if std::str::from_utf8(data).is_ok() { Interest::Keep } else { Interest::Reject };
    }
    let report: serde_json::Value = serde_json::from_str(&emitted.stdout).expect("JSON");
    let vcpus = report["vcpus"].as_array().expect("vCPUs");
    for (number, vcpu) in vcpus.iter().enumerate() {
        assert_eq!(vcpu["vcpu"], number);
    }
    Interest::Keep
}
