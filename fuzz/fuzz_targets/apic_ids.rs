//! See `fuzz::targets::apic_ids`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::apic_ids::run);
