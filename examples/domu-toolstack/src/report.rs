//! Lines that a test reads: "domu WHAT JSON".

use serde::Serialize;

/// Prints one line.
pub(crate) fn line<T: Serialize>(what: &str, value: &T) {
    match serde_json::to_string(value) {
        Ok(json) => println!("domu {what} {json}"),
        Err(error) => eprintln!("report {what}: {error}"),
    }
}
