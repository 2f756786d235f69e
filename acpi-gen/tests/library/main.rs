//! The library as its users call it.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod acpi_crate;
mod buffers;
mod bytes;
mod entries;
mod errors;
mod mutations;
mod peers;
mod round_trip;
mod samples;
mod walk;
