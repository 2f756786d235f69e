//! Whole command lines of acpi-gen over one input file.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use acpi_gen_cli::{Done, execute};
use tempfile::TempDir;

thread_local! {
    /// A folder of this thread's own, which goes with it.
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder for the input");
}

/// Runs `acpi-gen ARG...` on a file with these contents, whose path stands for
/// "INPUT", and the folder's for "OUT".
pub fn run(contents: &[u8], line: &[&str]) -> Done {
    let (input, out) =
        FOLDER.with(|folder| (folder.path().join("input"), folder.path().join("out")));
    fs::write(&input, contents).expect("an input file");
    let path = |path: &Path| -> OsString { path.as_os_str().to_owned() };
    let line = line.iter().map(|argument| match *argument {
        "INPUT" => path(&input),
        "OUT" => path(&out),
        other => other.into(),
    });
    let done = execute(std::iter::once("acpi-gen".into()).chain(line));
    // Whatever the input: a message is a line with its place, and there is one where it failed.
    assert!(done.status <= 1, "{}", done.stderr);
    assert!(done.status == 0 || !done.stderr.is_empty() || !done.stdout.is_empty());
    let place = input.display().to_string();
    for message in done.stderr.lines() {
        let rest = message.strip_prefix(&place).and_then(|rest| rest.strip_prefix(':'));
        let line = rest.and_then(|rest| rest.split_once(':')).and_then(|(n, _)| n.parse().ok());
        assert!(line.is_some_and(|line: usize| line > 0), "no file:line: {message:?}");
    }
    done
}
