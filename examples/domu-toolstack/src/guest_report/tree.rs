//! What the kernel shows in /sys.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::log::Log;

/// Bytes of a table in one line.
const ROW: usize = 64;

/// One line with a file's first line; nothing where it does not exist.
fn file(log: &mut Log, path: &Path) -> io::Result<()> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let first = text.lines().next().unwrap_or_default();
            log.line(&path.display().to_string(), first)
        }
        Err(_) => Ok(()),
    }
}

/// The entries of a folder whose names begin so, by name.
fn entries(folder: &str, start: &str) -> Vec<PathBuf> {
    let of = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let number = name.strip_prefix(start)?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| entry.path())
    };
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = found.filter_map(|entry| of(entry.ok()?)).collect();
    paths.sort();
    paths
}

/// The NUMA nodes.
pub(crate) fn nodes(log: &mut Log) -> io::Result<()> {
    let folder = "/sys/devices/system/node";
    for name in ["online", "possible", "has_cpu", "has_memory"] {
        file(log, &Path::new(folder).join(name))?;
    }
    for node in entries(folder, "node") {
        for name in ["cpulist", "distance", "meminfo"] {
            file(log, &node.join(name))?;
        }
    }
    Ok(())
}

/// The processors, their packages and the processors that share their last-level cache.
pub(crate) fn cpus(log: &mut Log) -> io::Result<()> {
    let folder = "/sys/devices/system/cpu";
    for name in ["online", "offline", "present", "possible"] {
        file(log, &Path::new(folder).join(name))?;
    }
    for cpu in entries(folder, "cpu") {
        for name in ["physical_package_id", "core_id", "package_cpus_list"] {
            file(log, &cpu.join("topology").join(name))?;
        }
        for cache in entries(&cpu.join("cache").display().to_string(), "index") {
            for name in ["level", "shared_cpu_list"] {
                file(log, &cache.join(name))?;
            }
        }
    }
    Ok(())
}

/// The lines of a file that begin with one of these words, each as a line of its own.
pub(crate) fn lines(log: &mut Log, path: &str, starts: &[&str]) -> io::Result<()> {
    for line in fs::read_to_string(path)?.lines() {
        if starts.iter().any(|start| line.trim_start().starts_with(start)) {
            log.line(path, line)?;
        }
    }
    Ok(())
}

/// The ACPI tables that the kernel has installed, in hexadecimal.
pub(crate) fn tables(log: &mut Log) -> io::Result<()> {
    for signature in ["APIC", "SRAT", "SLIT"] {
        let path = Path::new("/sys/firmware/acpi/tables").join(signature);
        let Ok(bytes) = fs::read(path) else { continue };
        for row in bytes.chunks(ROW) {
            let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
            log.line(&format!("table {signature}"), &hex)?;
        }
    }
    Ok(())
}
