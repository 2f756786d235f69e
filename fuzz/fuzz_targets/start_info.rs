//! See `fuzz::targets::start_info`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::start_info::run);
