//! Fuzz targets: each is a function over bytes, so that libFuzzer, `cargo test`
//! and a person with one file in hand all run the same code.
//!
//! A target panics where an invariant is broken, and else says whether the input
//! was worth keeping.

pub mod arguments;
pub mod cli;
pub mod encode;
pub mod host;
pub mod machine;
pub mod ranges;
pub mod spec;
pub mod targets;
pub mod writes;

/// Whether an input is of use to a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// It reached the code under test.
    Keep,
    /// It is refused before: no value for mutation.
    Reject,
}

/// A target's function.
pub type Target = fn(&[u8]) -> Interest;

/// Every target by the name of its binary and of its corpus' folder.
pub const TARGETS: &[(&str, Target)] = &[
    ("apic_ids", targets::apic_ids::run),
    ("bzimage", targets::bzimage::run),
    ("c_abi", targets::c_abi::run),
    ("check", targets::check::run),
    ("decode", targets::decode::run),
    ("e820_trim", targets::e820_trim::run),
    ("host_file", targets::host_file::run),
    ("host_plan", targets::host_plan::run),
    ("hypercalls", targets::hypercalls::run),
    ("kernel_image", targets::kernel_image::run),
    ("placement", targets::placement::run),
    ("populate", targets::populate::run),
    ("readers", targets::readers::run),
    ("round_trip", targets::round_trip::run),
    ("start_info", targets::start_info::run),
    ("topology_file", targets::topology_file::run),
    ("xl_config", targets::xl_config::run),
];

/// Makes a binary of a target: libFuzzer's entry where a fuzzer is built, and
/// else a program that replays the files named on its command line.
#[macro_export]
macro_rules! binary {
    ($target:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus {
            match $target(data) {
                $crate::Interest::Keep => libfuzzer_sys::Corpus::Keep,
                $crate::Interest::Reject => libfuzzer_sys::Corpus::Reject,
            }
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::replay($target)
        }
    };
}

/// Runs a target over the files named on the command line.
///
/// # Errors
/// A file that cannot be read.
pub fn replay(target: Target) -> std::io::Result<()> {
    for file in std::env::args_os().skip(1) {
        let interest = target(&std::fs::read(&file)?);
        println!("{}: {interest:?}", file.display());
    }
    Ok(())
}
