//! Tests of the `acpi-gen` binary, run as a user runs it.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod annotate;
mod bad_topologies;
mod check;
mod decode;
mod decode_other;
mod emit;
mod golden;
mod human_readable;
mod import;
mod initrd;
mod plan;
mod support;
