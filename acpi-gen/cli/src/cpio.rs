//! cpio archives in the "newc" form, uncompressed: what Linux looks for ACPI
//! tables in (Documentation/admin-guide/acpi/initrd_table_override.rst).

const MAGIC: &str = "070701";
const TRAILER: &str = "TRAILER!!!";
const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
/// The block size of cpio(1): archives are padded to it.
const BLOCK: usize = 512;

/// An archive of files, in the order they are added, with the folders that lead
/// to them: the kernel unpacks the archive into its root as well.
#[derive(Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    folders: Vec<String>,
}

impl Archive {
    /// Adds a file. None where its length passes the header's 32 bits.
    pub(crate) fn add(&mut self, path: &str, content: &[u8]) -> Option<()> {
        for (end, _) in path.match_indices('/') {
            let (folder, _) = path.split_at(end);
            if !self.folders.iter().any(|known| known == folder) {
                self.folders.push(folder.to_owned());
                self.entry(folder, DIRECTORY, &[])?;
            }
        }
        self.entry(path, FILE, content)
    }

    /// The archive's bytes, trailer and padding included.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        // Cannot fail: the trailer has no content.
        let _trailer = self.entry(TRAILER, 0, &[]);
        self.pad(BLOCK);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) -> Option<()> {
        let size = u32::try_from(content.len()).ok()?;
        let name_size = u32::try_from(name.len()).ok()?.checked_add(1)?;
        self.entries = self.entries.checked_add(1)?;
        let links = if mode == DIRECTORY { 2 } else { 1 };
        // ino, mode, uid, gid, nlink, mtime, filesize, device and its rdev by major
        // and minor, namesize, check. Nothing of this machine enters, the time
        // neither: the same tables make the same archive.
        let fields = [self.entries, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0];
        self.bytes.extend_from_slice(MAGIC.as_bytes());
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad(4);
        self.bytes.extend_from_slice(content);
        self.pad(4);
        Some(())
    }

    fn pad(&mut self, to: usize) {
        let len = self.bytes.len().next_multiple_of(to);
        self.bytes.resize(len, 0);
    }
}
