//! From a guest to a place for each of its parts.

use core::fmt;

use acpi_gen::{E820Entry, Gpa, GpaRange, TableSet};

use crate::bytes::{align_up, len64};
use crate::region::{MAX_MAP_ENTRIES, Map, memory_map};
use crate::space::{Space, Wish};
use crate::start_info::{MapEntry, ModuleEntry, StartInfo};
use crate::{Error, FOUR_GIB, Kernel, ONE_MIB, PAGE};

/// A module, such as an initrd.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    /// Its contents, not empty.
    pub bytes: &'a [u8],
    /// Its command line without a terminating zero; empty for none.
    pub command_line: &'a [u8],
}

/// What is to be placed, and in what memory.
#[derive(Clone, Copy, Debug)]
pub struct Guest<'a> {
    /// The kernel.
    pub kernel: Kernel<'a>,
    /// Modules in the order in which the kernel gets them; Linux takes the first as its initrd.
    pub modules: &'a [Module<'a>],
    /// The kernel's command line without a terminating zero.
    pub command_line: &'a [u8],
    /// The machine's memory in any order: what the kernel's memory map says but for the tables.
    pub memory: &'a [E820Entry],
    /// Parts of the memory where nothing may be placed, though the kernel may use
    /// them later: the loader itself and what it reads from.
    pub reserved: &'a [GpaRange],
    /// Parts of the memory that are in use until the guest is entered, such as the
    /// firmware's. Only a kernel that fits nowhere else is placed there; see
    /// [`Plan::kernel_waits`].
    pub busy: &'a [GpaRange],
    /// The ACPI tables.
    pub tables: TableSet<'a>,
}

/// Memory that a caller provides for a plan.
#[derive(Debug)]
pub struct Lists<'a> {
    /// As many as there are modules, or more; what they hold does not matter.
    pub modules: &'a mut [Option<GpaRange>],
    /// As many as [`map_len`](crate::map_len) says, or more.
    pub map: &'a mut [Option<E820Entry>],
}

/// What a plan places, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// The kernel's segments.
    Kernel,
    /// The ACPI tables.
    Tables,
    /// `hvm_start_info` with module list, memory map and command lines.
    StartInfo,
    /// A module.
    Module {
        /// Its index.
        index: usize,
    },
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel => f.write_str("the kernel"),
            Self::Tables => f.write_str("the ACPI tables"),
            Self::StartInfo => f.write_str("the start info"),
            Self::Module { index } => write!(f, "module {index}"),
        }
    }
}

/// A place for each part of a guest: nothing overlaps, all of it is RAM from
/// 1 MiB to 4 GiB, and none of it is reserved.
///
/// The kernel stands where it is linked, or, where that is not free and it may be
/// moved, at the lowest place that suits it; one that may not be moved takes memory
/// that is busy, too. `hvm_start_info` and all it points to
/// stand in the lowest free pages, because Linux's entry code maps no more than the
/// first GiB; modules and tables stand as high as they can.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub(crate) guest: Guest<'a>,
    pub(crate) kernel: GpaRange,
    pub(crate) tables: GpaRange,
    pub(crate) tables_len: usize,
    pub(crate) start_info: GpaRange,
    pub(crate) modules: &'a [Option<GpaRange>],
    pub(crate) map: Map<'a>,
}

impl<'a> Plan<'a> {
    /// Finds the places.
    ///
    /// # Errors
    /// What does not fit, with its size and the limits; a memory map or a command
    /// line that cannot be passed on; a list that is too short.
    pub fn new(guest: Guest<'a>, lists: Lists<'a>) -> Result<Self, Error> {
        let Lists { modules, map } = lists;
        let needed = guest.modules.len();
        let have = modules.len();
        let modules = modules.get_mut(..needed).ok_or(Error::ListTooShort {
            list: "modules",
            needed,
            have,
        })?;
        let tables_len = guest.tables.len()?;
        let wishes = wishes(&guest, tables_len)?;

        // Placed on the map without the tables, which then are cut out of it.
        let whole = memory_map(guest.memory, None, map)?;
        let mut space =
            Space { map: whole, reserved: guest.reserved, busy: guest.busy, placed: [None; 3] };
        let kernel = place_kernel(&space, &guest.kernel)?;
        space.placed = [Some(kernel), None, None];
        let start_info =
            space.lowest(wishes.start_info).ok_or(no_room(Item::StartInfo, wishes.start_info))?;
        space.placed = [Some(kernel), Some(start_info), None];
        let tables =
            space.highest(wishes.tables, &[]).ok_or(no_room(Item::Tables, wishes.tables))?;
        space.placed = [Some(kernel), Some(start_info), Some(tables)];
        for (index, module) in guest.modules.iter().enumerate() {
            if module.bytes.is_empty() {
                return Err(Error::EmptyModule { index });
            }
            let wish = page_wish(len64(module.bytes.len()));
            let Some((before, [slot, ..])) = modules.split_at_mut_checked(index) else { break };
            let place = space.highest(wish, before);
            *slot = Some(place.ok_or(no_room(Item::Module { index }, wish))?);
        }
        let map = memory_map(guest.memory, Some(tables), map)?;
        Ok(Self { guest, kernel, tables, tables_len, start_info, modules, map })
    }

    /// Where the kernel stands, from its lowest segment to its highest.
    #[must_use]
    pub const fn kernel(&self) -> GpaRange {
        self.kernel
    }

    /// Whether the kernel's place is in use until the guest is entered: it is to be
    /// written elsewhere, and to be moved when nothing else runs any more.
    #[must_use]
    pub fn kernel_waits(&self) -> bool {
        self.guest.busy.iter().any(|busy| busy.overlaps(self.kernel))
    }

    /// The kernel's entry point.
    #[must_use]
    pub fn entry(&self) -> Gpa {
        self.moved(self.guest.kernel.entry())
    }

    /// The tables' pages.
    #[must_use]
    pub const fn tables(&self) -> GpaRange {
        self.tables
    }

    /// The bytes that the tables take of their pages: the buffer that
    /// [`write_guest`](Self::write_guest) needs as its buffer.
    #[must_use]
    pub const fn tables_len(&self) -> usize {
        self.tables_len
    }

    /// The modules' pages, in the order of the modules.
    pub fn modules(&self) -> impl Iterator<Item = GpaRange> + use<'a> {
        self.modules.iter().flatten().copied()
    }

    /// The memory map that the kernel gets.
    #[must_use]
    pub const fn map(&self) -> Map<'a> {
        self.map
    }

    /// All that the plan writes to.
    pub fn ranges(&self) -> impl Iterator<Item = (Item, GpaRange)> + use<'a> {
        let modules =
            self.modules().enumerate().map(|(index, range)| (Item::Module { index }, range));
        [
            (Item::Kernel, self.kernel),
            (Item::StartInfo, self.start_info),
            (Item::Tables, self.tables),
        ]
        .into_iter()
        .chain(modules)
    }

    /// An address of the kernel image where the kernel has been placed.
    pub(crate) fn moved(&self, linked: Gpa) -> Gpa {
        let offset = linked.0.saturating_sub(self.guest.kernel.span().start().0);
        Gpa(self.kernel.start().0.saturating_add(offset))
    }
}

/// One line for each part, then the memory map.
impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (item, range) in self.ranges() {
            writeln!(f, "{range} {item}")?;
        }
        writeln!(f, "entry point {:#x}", self.entry().0)?;
        for region in self.map.regions() {
            writeln!(f, "map {region}")?;
        }
        Ok(())
    }
}

struct Wishes {
    start_info: Wish,
    tables: Wish,
}

/// Whole pages anywhere that a guest may be placed.
fn page_wish(size: u64) -> Wish {
    let size = align_up(size, PAGE).unwrap_or(u64::MAX);
    Wish { size, align: PAGE, from: ONE_MIB, limit: FOUR_GIB }
}

fn wishes(guest: &Guest<'_>, tables_len: usize) -> Result<Wishes, Error> {
    check_command_line(guest.command_line, None)?;
    let mut strings = len64(guest.command_line.len()).saturating_add(1);
    for (index, module) in guest.modules.iter().enumerate() {
        check_command_line(module.command_line, Some(index))?;
        strings = strings.saturating_add(len64(module.command_line.len())).saturating_add(1);
    }
    let of = |count: usize, size: usize| len64(count).saturating_mul(len64(size));
    // Room for the longest map, so that it can be replaced by another.
    let start_info = len64(size_of::<StartInfo>())
        .saturating_add(of(guest.modules.len(), size_of::<ModuleEntry>()))
        .saturating_add(of(MAX_MAP_ENTRIES, size_of::<MapEntry>()))
        .saturating_add(strings);
    let align = len64(guest.tables.align()).max(PAGE);
    Ok(Wishes {
        start_info: page_wish(start_info),
        tables: Wish { align, ..page_wish(len64(tables_len)) },
    })
}

fn check_command_line(line: &[u8], module: Option<usize>) -> Result<(), Error> {
    match line.iter().position(|byte| *byte == 0) {
        Some(offset) => Err(Error::ZeroInCommandLine { module, offset }),
        None => Ok(()),
    }
}

fn place_kernel(space: &Space<'_>, kernel: &Kernel<'_>) -> Result<GpaRange, Error> {
    let linked = kernel.span();
    let free = |space: &Space<'_>| space.taken_by(linked, &[]).is_none() && space.is_ram(linked);
    if free(space) {
        return Ok(linked);
    }
    let wish = kernel.relocation().map(|relocation| Wish {
        size: linked.size(),
        align: relocation.align,
        from: relocation.min,
        // The note gives the last byte; the limit is the byte behind it.
        limit: Gpa(relocation.max.0.saturating_add(1)),
    });
    if let Some(place) = wish.and_then(|wish| space.lowest(wish)) {
        return Ok(place);
    }
    let once_entered = Space { busy: &[], ..*space };
    if free(&once_entered) {
        return Ok(linked);
    }
    match wish {
        Some(wish) => Err(no_room(Item::Kernel, wish)),
        None => Err(Error::KernelNotFree {
            kernel: linked,
            taken_by: once_entered.taken_by(linked, &[]),
        }),
    }
}

const fn no_room(item: Item, wish: Wish) -> Error {
    Error::NoRoom { item, size: wish.size, align: wish.align, from: wish.from, limit: wish.limit }
}
