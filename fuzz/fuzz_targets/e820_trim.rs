//! See `fuzz::targets::e820_trim`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::e820_trim::run);
