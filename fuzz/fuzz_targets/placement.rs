//! See `fuzz::targets::placement`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::placement::run);
