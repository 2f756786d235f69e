//! See `fuzz::targets::topology_file`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::topology_file::run);
