//! Must not link: shows that a single panic path is found.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::hint::black_box;

panic_check::program!(run);

fn run() {
    let bytes: &[u8] = black_box(&[1, 2, 3]);
    #[expect(clippy::indexing_slicing, reason = "the panic path that the linker has to find")]
    black_box(bytes[black_box(0)]);
}
