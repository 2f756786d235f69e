//! See `fuzz::targets::bzimage`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::bzimage::run);
