//! The README's table of the seed's commits names tests that exist.

use std::prelude::rust_2024::*;

use std::collections::BTreeSet;
use std::path::Path;

fn functions(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let functions = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
            names.extend(functions.map(|function| format!("{module}::{function}")));
        }
    }
    names
}

#[test]
fn every_row_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let functions = functions(&root.join("src/tests"));
    let is_row = |line: &&str| {
        let number = line.strip_prefix("| ").and_then(|rest| rest.split(' ').next());
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let rows: Vec<_> = readme.lines().filter(is_row).collect();
    assert_eq!(rows.len(), 13, "one for each commit");
    for row in rows {
        // A "\|" is a bar inside a cell.
        let row = row.replace("\\|", "/");
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 7, "{row}");
        let mut module = "";
        let names: Vec<_> = cells[4].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            // A name without a module is of the one before it.
            let name = name.rsplit_once("::").map_or(name, |(of, name)| {
                module = of;
                name
            });
            assert!(functions.contains(&format!("{module}::{name}")), "no test {module}::{name}");
        }
    }
}
