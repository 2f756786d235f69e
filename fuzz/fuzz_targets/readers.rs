//! See `fuzz::targets::readers`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::readers::run);
