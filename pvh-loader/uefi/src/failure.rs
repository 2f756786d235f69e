//! The end of the application without a kernel.

extern crate alloc;

use alloc::string::{String, ToString};

use uefi::Status;

/// Why the application returned to the firmware.
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) sentence: String,
}

impl Failure {
    pub(crate) fn new(status: Status, sentence: impl ToString) -> Self {
        Self { status, sentence: sentence.to_string() }
    }
}
