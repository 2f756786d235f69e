//! The tests, apart from the code: in the crate, since the steps of a plan are private.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests: an overflow or a wrong index is a failure of the test"
)]

mod apic_ids;
mod cross_check;
mod e820;
mod every_layout;
mod gate;
mod hypercall;
mod layout;
mod low_ram;
mod populate;
mod seed_table;
mod support;
