//! `hvm_start_info` with its module list, memory map and command lines: as the loader
//! wrote it, it says what was asked for; changed at any byte, cut, or of any bytes at
//! all, it is read as a plain reader by the offsets of Xen's start_info.h does.

use acpi_gen::{Gpa, GpaRange, Physical};
use arbitrary::{Arbitrary, Unstructured};
use pvh_boot::{Error, Received, command_line};
use pvh_loader::{Guest, GuestMemory, Item, NotWritten, Plan, StartInfo};

use crate::targets::placement;
use crate::{Interest, encode};

/// XEN_HVM_START_MAGIC_VALUE as it lies in memory.
pub const MAGIC: &[u8] = b"\x78\xC5\x6E\x33";
/// Where an input that starts with it lies: where the loader puts a start info, too.
pub const BASE: u64 = 0x10_0000;
/// The longest command line.
const MAX_LINE: usize = 4096;

/// A guest, and what becomes of its start info.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The guest.
    pub guest: placement::Input,
    /// Bytes that are changed.
    pub changes: Vec<Change>,
    /// Bytes that are cut from the end of its pages.
    pub cut: u16,
}
encode::encode_fields!(Input { guest, changes, cut });

/// A byte that is changed.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which, from the start info on.
    pub at: u16,
    /// To this.
    pub value: u8,
}
encode::encode_fields!(Change { at, value });

/// Memory with a start info, and none beside it.
pub struct Pages {
    /// Its first address.
    pub base: u64,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Pages {
    fn place(&self, at: u64, len: usize) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(at.checked_sub(self.base)?).ok()?;
        let end = start.checked_add(len)?;
        (end <= self.bytes.len()).then_some(start..end)
    }

    fn number(&self, at: u64, len: usize) -> Option<u64> {
        let bytes = &self.bytes[self.place(at, len)?];
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The rows of a list, their words by (offset, bytes).
    fn rows<const N: usize>(
        &self,
        (at, count): (u64, u64),
        size: usize,
        words: [(u64, usize); N],
    ) -> Option<Vec<[u64; N]>> {
        if count == 0 {
            return Some(Vec::new());
        }
        self.place(at, usize::try_from(count).ok()?.checked_mul(size)?)?;
        let row = |n| words.map(|(offset, len)| self.number(at + n * size as u64 + offset, len));
        (0..count)
            .map(|n| row(n).into_iter().collect::<Option<Vec<_>>>()?.try_into().ok())
            .collect()
    }

    /// The line at an address: its bytes, or whether it has no end within the limit.
    fn line(&self, at: u64) -> Result<&[u8], bool> {
        if at == 0 {
            return Ok(&[]);
        }
        let from = self.place(at, 0).ok_or(false)?.start;
        let rest = &self.bytes[from..];
        match rest.iter().position(|byte| *byte == 0) {
            Some(len) if len <= MAX_LINE => Ok(&rest[..len]),
            None if rest.len() <= MAX_LINE => Err(false),
            _ => Err(true),
        }
    }
}

impl Physical for Pages {
    fn bytes(&self, at: Gpa, len: usize) -> Option<&[u8]> {
        Some(&self.bytes[self.place(at.0, len)?])
    }
}

impl GuestMemory for Pages {
    fn has(&self, _: GpaRange) -> bool {
        true
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        // What lies elsewhere is looked at by the target `placement`.
        if let Some(place) = self.place(at.0, bytes.len()) {
            self.bytes[place].copy_from_slice(bytes);
        }
        Ok(())
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        if let Some(place) = self.place(range.start().0, range.size() as usize) {
            self.bytes[place].fill(0);
        }
        Ok(())
    }
}

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    // Xen's rule, of the structure alone: 56 bytes, the magic number, a version with a map.
    let right = data.len() >= 56 && data.starts_with(MAGIC) && data[4..8] != [0; 4];
    let parsed = StartInfo::parse(data);
    assert_eq!(parsed.is_ok(), right, "{parsed:?}");
    if data.starts_with(MAGIC) {
        read_as_a_plain_reader(&Pages { base: BASE, bytes: data.to_vec() });
        return Interest::Keep;
    }
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    let planned = placement::with_plan(&input.guest, |plan, guest| {
        let mut pages = written(plan, guest);
        for change in &input.changes {
            let at = usize::from(change.at) % pages.bytes.len();
            pages.bytes[at] = change.value;
        }
        pages.bytes.truncate(pages.bytes.len().saturating_sub(input.cut.into()));
        read_as_a_plain_reader(&pages);
    });
    match planned {
        Some(Ok(())) => Interest::Keep,
        Some(Err(_)) | None => Interest::Reject,
    }
}

/// Carries the plan out and reads the start info's pages back.
pub fn written(plan: &Plan<'_>, guest: &Guest<'_>) -> Pages {
    let range = placement::place(plan, Item::StartInfo);
    let mut pages = Pages { base: range.start().0, bytes: vec![0xA5; range.size() as usize] };
    let mut buffer = vec![0xA5; plan.tables_len()];
    plan.write_guest(&mut buffer, &mut pages).expect("memory that fails nowhere");
    read_as_a_plain_reader(&pages);

    let same_line = |read: Result<&[u8], Error>, line: &[u8]| match read {
        Ok(read) => assert!(read == line && line.len() <= MAX_LINE, "another command line"),
        Err(Error::EndlessCommandLine { .. }) => assert!(line.len() > MAX_LINE),
        Err(error) => panic!("{error}"),
    };
    let received = match Received::read(&pages, range.start()) {
        Ok(received) => received,
        Err(error) => {
            same_line(Err(error), guest.command_line);
            return pages;
        }
    };
    same_line(Ok(received.command_line), guest.command_line);
    let info = received.info;
    assert_eq!((info.version.get(), info.flags.get(), info.reserved.get()), (1, 0, 0));
    assert_eq!(info.rsdp_paddr.get(), plan.tables().start().0);
    assert_eq!(info.modlist_paddr.get() == 0, guest.modules.is_empty());
    assert_eq!(received.modules.len(), guest.modules.len());
    for ((entry, module), place) in received.modules.iter().zip(guest.modules).zip(plan.modules()) {
        assert_eq!(entry.paddr.get(), place.start().0);
        assert_eq!(entry.size.get(), module.bytes.len() as u64);
        assert_eq!(entry.reserved.get(), 0);
        let line = entry.cmdline_paddr.get();
        assert_eq!(line == 0, module.command_line.is_empty());
        same_line(command_line(&pages, Gpa(line)), module.command_line);
    }
    assert!(received.regions().eq(plan.map().regions()));
    assert!(received.map.iter().all(|entry| entry.reserved.get() == 0));
    pages
}

/// Reads what is at the start of the pages, and compares with a reader of plain numbers.
fn read_as_a_plain_reader(pages: &Pages) {
    let base = pages.base;
    let word = |offset, len| pages.number(base + offset, len);
    let whole = pages.bytes.len() >= 56;
    let right = whole && word(0, 4) == Some(0x336E_C578) && word(4, 4) > Some(0);
    let counted = |at, count| Some((word(at, 8)?, word(count, 4)?));
    let line = word(24, 8).map(|at| pages.line(at));
    let modules = counted(16, 12).and_then(|list| pages.rows(list, 32, [(0, 8), (8, 8), (16, 8)]));
    let map = counted(40, 48).and_then(|list| pages.rows(list, 24, [(0, 8), (8, 8), (16, 4)]));

    let received = match Received::read(pages, Gpa(base)) {
        Ok(received) => received,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return match error {
                Error::StartInfo(_) => assert!(whole && !right),
                Error::EndlessCommandLine { .. } => assert!(line == Some(Err(true))),
                Error::StartInfoPart { part: "hvm_start_info", .. } => assert!(!whole),
                Error::StartInfoPart { part: "command line", .. } => {
                    assert!(line == Some(Err(false)));
                }
                Error::StartInfoPart { part: "module list", .. } => assert_eq!(modules, None),
                Error::StartInfoPart { part: "memory map", .. } => assert_eq!(map, None),
                other => panic!("{other}"),
            };
        }
    };
    assert!(right);
    assert!(line == Some(Ok(received.command_line)), "another command line");
    assert_eq!(Some(received.info.rsdp_paddr.get()), word(32, 8));
    let entries = received.modules.iter();
    let read: Vec<_> =
        entries.map(|it| [it.paddr, it.size, it.cmdline_paddr].map(|it| it.get())).collect();
    assert_eq!(Some(&read), modules.as_ref());
    for [_, _, at] in read.into_iter().take(8) {
        match command_line(pages, Gpa(at)) {
            Ok(read) => assert!(pages.line(at) == Ok(read), "another command line"),
            Err(Error::EndlessCommandLine { .. }) => assert_eq!(pages.line(at), Err(true)),
            Err(_) => assert_eq!(pages.line(at), Err(false)),
        }
    }
    let map = map.expect("a map");
    assert_eq!(received.map.len(), map.len());
    let possible =
        map.into_iter().filter(|[start, size, _]| *size > 0 && start.checked_add(*size).is_some());
    let regions = received.regions();
    let regions = regions.map(|it| [it.range.start().0, it.range.size(), it.kind.0.into()]);
    assert!(regions.eq(possible));
}
