//! See `fuzz::targets::kernel_image`.
#![cfg_attr(fuzzing, no_main)]

fuzz::binary!(fuzz::targets::kernel_image::run);
