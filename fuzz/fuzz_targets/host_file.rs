//! See `fuzz::targets::host_file`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::host_file::run);
