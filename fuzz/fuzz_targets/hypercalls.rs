//! See `fuzz::targets::hypercalls`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::hypercalls::run);
