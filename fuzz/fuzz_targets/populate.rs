//! See `fuzz::targets::populate`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::populate::run);
