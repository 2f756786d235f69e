//! hv-glue's tests from outside, in one program so that they share their support.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: an overflow or a wrong index is a failure of the test"
)]

mod apic_ids;
mod cross_check;
mod e820;
mod every_layout;
mod gate;
mod hypercall;
mod layout;
mod populate;
mod seed_table;
mod support;
