//! xl's configuration of any text through `acpi-gen import`: an error with its
//! line, or a topology file that `emit` takes as it is.

use crate::{Interest, cli};

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let imported = cli::run(data, &["import", "INPUT"]);
    if imported.status != 0 {
        return if std::str::from_utf8(data).is_ok() { Interest::Keep } else { Interest::Reject };
    }
    let topology = imported.stdout.as_bytes();
    let emitted = cli::run(topology, &["emit", "INPUT", "--out", "OUT", "--json"]);
    assert_eq!(emitted.status, 0, "{}\n{}", imported.stdout, emitted.stderr);
    Interest::Keep
}
