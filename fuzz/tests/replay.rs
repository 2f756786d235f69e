//! Every input of the corpora and every past crash, through its target.

use std::path::{Path, PathBuf};
use std::{fs, panic};

/// A folder's inputs by name, each through the target; none where there is no such folder.
fn replay(folder: &Path, target: fuzz::Target) -> Vec<fuzz::Interest> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = files.map(|file| file.expect("a folder's entry").path()).collect();
    files.sort();
    let one = |file: &PathBuf| {
        let bytes = fs::read(file).expect("a readable input");
        panic::catch_unwind(|| target(&bytes)).unwrap_or_else(|_| panic!("{}", file.display()))
    };
    files.iter().map(one).collect()
}

#[test]
fn corpora_and_past_crashes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for &(name, target) in fuzz::TARGETS {
        let seen = replay(&root.join("corpus").join(name), target);
        let kept = seen.iter().filter(|interest| **interest == fuzz::Interest::Keep);
        // The way to a refusal is part of what the corpus covers.
        assert!(kept.count() * 2 > seen.len(), "{name}: most of its corpus is refused");
        replay(&root.join("crashes").join(name), target);
    }
}

#[test]
fn no_folder_is_left_behind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["corpus", "crashes"] {
        let Ok(targets) = fs::read_dir(root.join(folder)) else { continue };
        for entry in targets {
            let name = entry.expect("a folder's entry").file_name();
            let known = fuzz::TARGETS.iter().any(|(target, _)| name == *target);
            assert!(known, "{folder}/{} belongs to no target", name.display());
        }
    }
}
