//! See `fuzz::targets::round_trip`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::round_trip::run);
