//! See `fuzz::targets::check`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::check::run);
