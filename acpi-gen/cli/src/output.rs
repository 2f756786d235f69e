//! Writing files so that a failed run leaves none behind, and JSON.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Writes all files into `directory`, or none: each goes to a temporary name
/// first, and the names change only when every byte is on its way.
pub(crate) fn write_all(directory: &Path, files: &[(&str, &[u8])]) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| cannot_write(directory, &error))?;
    let mut pending = Pending(Vec::new());
    for (name, bytes) in files {
        let target = directory.join(name);
        if target.is_dir() {
            return Err(Failure::whole_file(&target, "is a folder: a file is to be written here"));
        }
        let temporary = directory.join(format!(".{name}.{}", std::process::id()));
        // Listed first, so that what a failed write leaves is removed.
        pending.0.push((temporary.clone(), target.clone()));
        fs::write(&temporary, bytes).map_err(|error| cannot_write(&target, &error))?;
    }
    while let Some((temporary, target)) = pending.0.pop() {
        fs::rename(&temporary, &target).map_err(|error| {
            let failure = cannot_write(&target, &error);
            pending.0.push((temporary, target));
            failure
        })?;
    }
    Ok(())
}

/// Writes one file, whole or not at all.
pub(crate) fn write_one(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(Failure::Usage(format!("--out {}: a file name is needed", path.display())));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    write_all(folder.unwrap_or(Path::new(".")), &[(name, bytes)])
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::whole_file(path, format!("cannot be written: {error}"))
}

/// Temporary files and the names that they are to get; those left are removed.
struct Pending(Vec<(PathBuf, PathBuf)>);

impl Drop for Pending {
    fn drop(&mut self) {
        for (temporary, _) in &self.0 {
            let _already_gone = fs::remove_file(temporary);
        }
    }
}

/// A value as JSON text with a line end.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    // Fails only for maps whose keys are no strings and for paths that are not UTF-8;
    // no value here has either.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A vCPU in the JSON of `emit` and `plan`.
#[derive(serde::Serialize)]
pub(crate) struct Vcpu {
    pub(crate) vcpu: u32,
    /// Known only where a hypervisor's plan pins it.
    pub(crate) pcpu: Option<u32>,
    pub(crate) apic_id: u32,
    pub(crate) pxm: Option<u32>,
    /// Known only where a hypervisor's plan says it.
    pub(crate) pnode: Option<u32>,
}
