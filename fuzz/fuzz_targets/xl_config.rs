//! See `fuzz::targets::xl_config`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::xl_config::run);
