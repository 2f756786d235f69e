//! See `fuzz::targets::c_abi`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::c_abi::run);
