//! What the kernel shows in /sys and in its log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::port::Port;

/// Bytes of a table in one line.
const ROW: usize = 64;

/// One line with a file's first line; nothing where it does not exist.
fn file(port: &mut Port, path: &Path) -> io::Result<()> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let first = text.lines().next().unwrap_or_default();
            port.line(&path.display().to_string(), first)
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
pub(crate) fn nodes(port: &mut Port) -> io::Result<()> {
    let folder = "/sys/devices/system/node";
    for name in ["online", "possible", "has_cpu", "has_memory"] {
        file(port, &Path::new(folder).join(name))?;
    }
    for node in entries(folder, "node") {
        for name in ["cpulist", "distance", "meminfo"] {
            file(port, &node.join(name))?;
        }
    }
    Ok(())
}

/// The processors, their packages and the processors that share their last-level cache.
pub(crate) fn cpus(port: &mut Port) -> io::Result<()> {
    let folder = "/sys/devices/system/cpu";
    for name in ["online", "offline", "present", "possible"] {
        file(port, &Path::new(folder).join(name))?;
    }
    for cpu in entries(folder, "cpu") {
        for name in ["physical_package_id", "core_id", "package_cpus_list"] {
            file(port, &cpu.join("topology").join(name))?;
        }
        for cache in entries(&cpu.join("cache").display().to_string(), "index") {
            for name in ["level", "shared_cpu_list"] {
                file(port, &cache.join(name))?;
            }
        }
    }
    Ok(())
}

/// The ACPI tables that the kernel has installed, in hexadecimal.
pub(crate) fn tables(port: &mut Port) -> io::Result<()> {
    for signature in ["APIC", "SRAT", "SLIT", "FACP", "DSDT"] {
        let path = Path::new("/sys/firmware/acpi/tables").join(signature);
        let Ok(bytes) = fs::read(path) else { continue };
        for row in bytes.chunks(ROW) {
            let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
            port.line(&format!("table {signature}"), &hex)?;
        }
    }
    Ok(())
}

/// The kernel's log from its start.
pub(crate) fn kernel_log(port: &mut Port) -> io::Result<()> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut log: File = OpenOptions::new().read(true).custom_flags(flags).open("/dev/kmsg")?;
    let mut record = [0; 8192];
    loop {
        match log.read(&mut record) {
            Ok(len) => {
                let text = String::from_utf8_lossy(record.get(..len).unwrap_or_default());
                // "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT", then lines of the record's dictionary.
                let line = text.lines().next().unwrap_or_default();
                port.line("dmesg", line.split_once(';').map_or(line, |(_, text)| text))?;
            }
            // Old records were overwritten: the next one is there.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
