//! See `fuzz::targets::host_plan`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::host_plan::run);
