//! Every input of the corpora and every past crash, through its target.

use std::fs;
use std::path::Path;

/// The inputs of a folder by name; none where there is no such folder.
fn inputs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let mut inputs: Vec<_> = files
        .map(|file| {
            let path = file.expect("a folder's entry").path();
            let bytes = fs::read(&path).expect("a readable input");
            (path.display().to_string(), bytes)
        })
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn corpora_and_past_crashes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, target) in fuzz::TARGETS {
        let corpus = inputs(&root.join("corpus").join(name));
        let kept = corpus.iter().filter(|(file, bytes)| {
            println!("{file}");
            target(bytes) == fuzz::Interest::Keep
        });
        // The way to a refusal is part of what the corpus covers.
        assert!(kept.count() * 2 > corpus.len(), "{name}: most of its corpus is refused");
        for (file, bytes) in inputs(&root.join("crashes").join(name)) {
            println!("{file}");
            target(&bytes);
        }
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
