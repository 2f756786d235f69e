//! The guest's memory: given to it on the right nodes, and written from here.

use acpi_gen::{Gpa, GpaRange};
use pvh_loader::{GuestMemory, NotWritten};
use xen_hypercall::{DomainId, Populate, PopulateNode, Xen};

use crate::failure::Failure;
use crate::request::{PAGE, Request};

/// 2 MiB extents first: fewer entries in the guest's page tables, and fewer calls.
const LARGE: u32 = 9;
/// Extents of a call: short, so that a slow host is not kept from its interrupts.
const BATCH: usize = 32;

/// Gives the domain all memory of the request, each vnode's on its host node and on no
/// other.
pub(crate) fn populate(xen: &Xen, domain: DomainId, request: &Request) -> Result<(), Failure> {
    for &(memory, vnode) in &request.memory {
        // Request::read gave each vnode one.
        let Some(&pnode) = request.pnodes.get(vnode) else { continue };
        let node = PopulateNode::Exact(pnode);
        let range = memory.range;
        // Steps of 2 MiB counted from the range's start would cross its large pages.
        let mut at = range.start().0 / PAGE;
        let end = range.end().0 / PAGE;
        while at < end {
            let large = 1_u64 << LARGE;
            let (order, step) = if at.is_multiple_of(large) && end.saturating_sub(at) >= large {
                (LARGE, large)
            } else {
                (0, 1)
            };
            let until = if order == LARGE {
                end
            } else {
                end.min(at.next_multiple_of(large).max(at.saturating_add(1)))
            };
            let frames: Vec<u64> = (at..until)
                .step_by(usize::try_from(step).unwrap_or(1))
                .filter(|frame| frame.saturating_add(step) <= end)
                .take(BATCH)
                .collect();
            let done = give(xen, domain, &frames, order, node)?;
            let pages = u64::try_from(done).unwrap_or(0).saturating_mul(step);
            if done == 0 {
                let (at, missing) = (Gpa(at.saturating_mul(PAGE)), end.saturating_sub(at));
                return Err(Failure::Memory { vnode, pnode, at, missing });
            }
            at = at.saturating_add(pages);
        }
    }
    Ok(())
}

/// Extents that were given; the first large one that is refused is given page by page,
/// since free memory may be in pieces.
fn give(
    xen: &Xen,
    domain: DomainId,
    frames: &[u64],
    order: u32,
    node: PopulateNode,
) -> Result<usize, Failure> {
    let done = xen.populate(domain, &Populate { frames, order, node })?;
    if done > 0 || order == 0 {
        return Ok(done);
    }
    let Some(&first) = frames.first() else { return Ok(0) };
    let pages: Vec<u64> = (first..first.saturating_add(1 << LARGE)).collect();
    let done = xen.populate(domain, &Populate { frames: &pages, order: 0, node })?;
    Ok(usize::from(done == pages.len()))
}

/// One page outside of all RAM.
pub(crate) fn populate_page(xen: &Xen, domain: DomainId, at: Gpa) -> Result<(), Failure> {
    let frames = [at.0 / PAGE];
    let populate = Populate { frames: &frames, order: 0, node: PopulateNode::Any };
    if xen.populate(domain, &populate)? == 1 {
        Ok(())
    } else {
        Err(Failure::Request(format!("no memory for the page at {:#x}", at.0)))
    }
}

/// A paused domain's memory, as pvh-loader writes to it.
pub(crate) struct DomainMemory<'r> {
    xen: &'r Xen,
    domain: DomainId,
    ram: Vec<GpaRange>,
    /// What Xen or the kernel said when a write failed; the loader's error says which.
    refusal: Option<Failure>,
}

impl<'r> DomainMemory<'r> {
    pub(crate) fn new(xen: &'r Xen, domain: DomainId, request: &Request) -> Self {
        let ram = request.memory.iter().map(|(memory, _)| memory.range).collect();
        Self { xen, domain, ram, refusal: None }
    }

    /// The failure of the loader, with Xen's word where a write of its failed.
    pub(crate) fn failure(self, error: pvh_loader::Error) -> Failure {
        match self.refusal {
            Some(refusal) => Failure::Write { error, refusal: Box::new(refusal) },
            None => Failure::Place(error),
        }
    }

    /// Writes anywhere that the domain has memory.
    pub(crate) fn put(&self, at: Gpa, bytes: &[u8]) -> Result<(), Failure> {
        /// Pages of a mapping: 4 MiB.
        const WINDOW: usize = 1024;
        let failed = || {
            let len = bytes.len();
            Failure::Request(format!("{len} bytes at {:#x} are not in their mapping", at.0))
        };
        let page = usize::try_from(PAGE).map_err(|_| failed())?;
        let mut next = at.0;
        let mut rest = bytes;
        while !rest.is_empty() {
            let offset = usize::try_from(next % PAGE).map_err(|_| failed())?;
            let room = WINDOW.saturating_mul(page).saturating_sub(offset);
            let (part, after) = rest.split_at(room.min(rest.len()));
            let first = next / PAGE;
            let count = offset.saturating_add(part.len()).div_ceil(page);
            let frames: Vec<u64> = (first..).take(count).collect();
            if !self.xen.map_foreign(self.domain, &frames)?.write(offset, part) {
                return Err(failed());
            }
            next = next.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
            rest = after;
        }
        Ok(())
    }
}

impl GuestMemory for DomainMemory<'_> {
    fn has(&self, range: GpaRange) -> bool {
        // Ranges of neighbouring vnodes touch: the union counts, not the single range.
        let mut at = range.start();
        while at < range.end() {
            match self.ram.iter().find(|ram| ram.contains(at)) {
                Some(ram) => at = ram.end(),
                None => return false,
            }
        }
        true
    }

    fn write(&mut self, at: Gpa, bytes: &[u8]) -> Result<(), NotWritten> {
        self.put(at, bytes).map_err(|refusal| {
            self.refusal = Some(refusal);
            NotWritten
        })
    }

    fn zero(&mut self, range: GpaRange) -> Result<(), NotWritten> {
        let len = usize::try_from(range.size()).map_err(|_| NotWritten)?;
        self.write(range.start(), &vec![0; len])
    }
}
