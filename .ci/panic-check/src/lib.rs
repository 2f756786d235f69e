//! The proof that a library has no path to a panic: a program for a machine
//! without an operating system calls all of its public functions with arguments
//! that the compiler does not know. The only panic handler refers to a symbol that
//! nothing defines, so the linker refuses the program where any panic is left.
//!
//! The programs are in `src/bin`, one for each library, and one that has to be
//! refused. Build them with `--release --target x86_64-unknown-none`; for other
//! targets they run their calls once.
#![no_std]

use core::{fmt, hint::black_box};

/// Takes text as a console or a boot log would.
pub struct Sink;

impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        see(text);
        black_box(Ok(()))
    }
}

/// Keeps the compiler from leaving a result, and the call for it, away.
pub fn see<T>(value: T) {
    black_box(value);
}

#[cfg(target_os = "none")]
mod bare {
    use core::panic::PanicInfo;

    unsafe extern "C" {
        /// Defined nowhere.
        fn a_panic_path_is_left() -> !;
    }

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        // SAFETY: a program that holds this call does not link, so it is never made.
        unsafe { a_panic_path_is_left() }
    }
}

/// Makes `fn()` the program: `_start` without an operating system, else `main`.
#[macro_export]
macro_rules! program {
    ($run:path) => {
        /// The linker's entry.
        #[cfg(target_os = "none")]
        #[unsafe(no_mangle)]
        pub extern "C" fn _start() -> ! {
            $run();
            loop {
                core::hint::spin_loop();
            }
        }

        #[cfg(not(target_os = "none"))]
        fn main() {
            $run();
        }
    };
}
