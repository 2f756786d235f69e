//! See `fuzz::targets::decode`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::decode::run);
