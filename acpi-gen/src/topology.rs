//! The validated description: from it, emitting cannot fail for its content.

use crate::{
    ApicId, Description, Distance, Entries, Error, LocalNmi, NmiForm, NmiTarget, Processor,
    ProcessorUid, ProximityDomain, bits::BitSet256, sort,
};

/// The highest domain number: a SLIT has at most 65,535 localities here.
pub const MAX_DOMAIN: ProximityDomain = ProximityDomain(65_534);

/// A description that has passed every rule. Holds what it derived once: how
/// many localities and how many entries of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Topology<'a> {
    description: Description<'a>,
    localities: u32,
    type0: usize,
    affine_type0: usize,
    affine_type2: usize,
}

impl<'a> Topology<'a> {
    /// Words of scratch space that [`Topology::new`] takes for this description.
    #[must_use]
    pub fn scratch_len(description: &Description<'_>) -> usize {
        description.processors.len().max(description.distances.domains.len())
    }

    /// Checks a description against every rule. `scratch` is overwritten; the
    /// cost is linear in processors, ranges and distances.
    ///
    /// # Errors
    /// The first broken rule, see [`Error`].
    pub fn new(description: Description<'a>, scratch: &mut [u32]) -> Result<Self, Error> {
        let needed = Self::scratch_len(&description);
        let have = scratch.len();
        let scratch = scratch.get_mut(..needed).ok_or(Error::ScratchTooSmall { needed, have })?;
        check_processors(&description, scratch)?;
        check_memory(&description)?;
        check_distances(&description, scratch)?;
        check_interrupts(&description)?;

        let domains = description
            .processors
            .iter()
            .filter_map(|processor| processor.domain)
            .chain(description.memory.iter().map(|memory| memory.domain));
        let mut localities = 0;
        for domain in domains {
            if domain > MAX_DOMAIN {
                return Err(Error::TooManyLocalities { domain, max: MAX_DOMAIN });
            }
            localities = localities.max(domain.0.saturating_add(1));
        }
        let is_type0 = |processor: &&Processor| uses_type0(description.entries, processor);
        let affine = || description.processors.iter().filter(|p| p.domain.is_some());
        let affine_type0 = affine().filter(is_type0).count();
        Ok(Self {
            description,
            localities,
            type0: description.processors.iter().filter(is_type0).count(),
            affine_type0,
            affine_type2: affine().count().saturating_sub(affine_type0),
        })
    }

    /// As [`Topology::new`], for a caller whose buffer has a fixed size: names
    /// the proximity domain whose SLIT alone would pass it.
    ///
    /// # Errors
    /// As [`Topology::new`], and [`Error::PxmTooLargeForBuffer`].
    pub fn for_buffer(
        description: Description<'a>,
        scratch: &mut [u32],
        buffer_len: usize,
    ) -> Result<Self, Error> {
        let topology = Self::new(description, scratch)?;
        let slit_len = crate::slit::len(&topology)?;
        if topology.localities > 0 && slit_len > buffer_len {
            return Err(Error::PxmTooLargeForBuffer {
                domain: ProximityDomain(topology.localities.saturating_sub(1)),
                slit_len,
                have: buffer_len,
            });
        }
        Ok(topology)
    }

    /// What was described.
    #[must_use]
    pub const fn description(&self) -> &Description<'a> {
        &self.description
    }

    /// Localities of the SLIT: the highest proximity domain plus 1, and 0 where
    /// neither processors nor memory have a domain (then there is no SRAT or SLIT).
    #[must_use]
    pub const fn localities(&self) -> u32 {
        self.localities
    }

    /// Whether this processor has type 0 entries, by the description's [`Entries`].
    #[must_use]
    pub fn uses_type0(&self, processor: &Processor) -> bool {
        uses_type0(self.description.entries, processor)
    }

    /// Processors with a type 0 entry in the MADT.
    pub(crate) const fn type0_count(&self) -> usize {
        self.type0
    }

    /// Processors with an SRAT entry, of type 0 and of type 2.
    pub(crate) const fn affinity_counts(&self) -> (usize, usize) {
        (self.affine_type0, self.affine_type2)
    }

    /// Whether an NMI becomes a type 4 structure (else type 0xA).
    pub(crate) fn nmi_is_type4(&self, nmi: &LocalNmi) -> bool {
        nmi_is_type4(&self.description, nmi)
    }
}

fn uses_type0(entries: Entries, processor: &Processor) -> bool {
    match entries {
        Entries::X2Apic => false,
        Entries::Hybrid => processor.apic_id <= ApicId::MAX_XAPIC,
    }
}

fn nmi_is_type4(description: &Description<'_>, nmi: &LocalNmi) -> bool {
    let all_type0 =
        |mut of: core::slice::Iter<'_, Processor>| of.all(|p| uses_type0(description.entries, p));
    match (nmi.form, nmi.target) {
        (NmiForm::LocalApic, _) => true,
        (NmiForm::X2Apic, _) => false,
        (NmiForm::AsProcessors, NmiTarget::All) => all_type0(description.processors.iter()),
        (NmiForm::AsProcessors, NmiTarget::Uid(uid)) => description
            .processors
            .iter()
            .any(|p| p.uid == uid && uses_type0(description.entries, p)),
    }
}

fn check_processors(description: &Description<'_>, scratch: &mut [u32]) -> Result<(), Error> {
    let processors = description.processors;
    match processors.first() {
        None => return Err(Error::NoProcessors),
        Some(first) if first.state != crate::ProcessorState::Enabled => {
            return Err(Error::BootProcessorAbsent { uid: first.uid });
        }
        Some(_) => {}
    }
    for (index, processor) in processors.iter().enumerate() {
        let Processor { uid, apic_id: id, .. } = *processor;
        if id == ApicId::RESERVED {
            return Err(Error::ReservedApicId { index, id });
        }
        if uses_type0(description.entries, processor) && uid.0 > 255 {
            return Err(Error::UidTooLargeForType0 { index, uid, id });
        }
    }
    if let Some((value, first, second)) = duplicate(processors, |p| p.uid.0, scratch) {
        return Err(Error::DuplicateUid { uid: ProcessorUid(value), first, second });
    }
    if let Some((value, first, second)) = duplicate(processors, |p| p.apic_id.0, scratch) {
        return Err(Error::DuplicateApicId { id: ApicId(value), first, second });
    }
    Ok(())
}

/// The smallest value that two processors share, and the first two indices that have it.
fn duplicate(
    processors: &[Processor],
    key: impl Fn(&Processor) -> u32,
    scratch: &mut [u32],
) -> Option<(u32, usize, usize)> {
    let (keys, _) = scratch.split_at_mut_checked(processors.len())?;
    for (slot, processor) in keys.iter_mut().zip(processors) {
        *slot = key(processor);
    }
    let value = sort::duplicate(keys)?;
    let mut having = processors.iter().enumerate().filter(|(_, p)| key(p) == value);
    let ((first, _), (second, _)) = (having.next()?, having.next()?);
    Some((value, first, second))
}

fn check_memory(description: &Description<'_>) -> Result<(), Error> {
    for (index, pair) in (1_usize..).zip(description.memory.windows(2)) {
        let [previous, this] = pair else { continue };
        let (previous, range) = (previous.range, this.range);
        if range.overlaps(previous) {
            return Err(Error::MemoryOverlap { index, first: previous, second: range });
        }
        if range.start() < previous.start() {
            return Err(Error::MemoryNotAscending { index, range, previous });
        }
    }
    Ok(())
}

fn check_distances(description: &Description<'_>, scratch: &mut [u32]) -> Result<(), Error> {
    let distances = description.distances;
    let domains = distances.domains;
    for (index, pair) in (1_usize..).zip(domains.windows(2)) {
        if let [previous, domain] = *pair
            && domain <= previous
        {
            return Err(Error::DistancesNotAscending { index, domain });
        }
    }
    if domains.len().checked_mul(domains.len()) != Some(distances.matrix.len()) {
        return Err(Error::DistancesNotSquare {
            domains: domains.len(),
            entries: distances.matrix.len(),
        });
    }

    // One mark for each row whose domain a processor or a range has.
    let Some((marks, _)) = scratch.split_at_mut_checked(domains.len()) else {
        return Ok(());
    };
    marks.fill(0);
    let used = description
        .processors
        .iter()
        .filter_map(|p| p.domain)
        .chain(description.memory.iter().map(|m| m.domain));
    for domain in used {
        if let Ok(row) = domains.binary_search(&domain)
            && let Some(mark) = marks.get_mut(row)
        {
            *mark = 1;
        }
    }
    for (&domain, &mark) in domains.iter().zip(marks.iter()) {
        if mark == 0 {
            return Err(Error::DistanceOfUnknownDomain { domain });
        }
    }

    let rows = distances.matrix.chunks_exact(domains.len().max(1));
    for (&from, row) in domains.iter().zip(rows) {
        for (&to, &distance) in domains.iter().zip(row) {
            let value = distance.get();
            if distance < Distance::LOCAL {
                return Err(Error::DistanceReserved { from, to, value });
            }
            if from == to && distance != Distance::LOCAL {
                return Err(Error::DiagonalNotLocal { domain: from, value });
            }
            if from != to && distance == Distance::LOCAL {
                return Err(Error::RemoteAtLocalDistance { from, to });
            }
        }
    }
    Ok(())
}

fn check_interrupts(description: &Description<'_>) -> Result<(), Error> {
    // Both spaces have 256 values, so a set of bits sees duplicates in one pass.
    let mut seen = BitSet256::EMPTY;
    for (index, io_apic) in description.io_apics.iter().enumerate() {
        if io_apic.address == 0 {
            return Err(Error::IoApicAddressZero { index });
        }
        if !seen.insert(io_apic.id) {
            return Err(Error::DuplicateIoApicId { index, id: io_apic.id });
        }
    }
    seen = BitSet256::EMPTY;
    for (index, over) in description.overrides.iter().enumerate() {
        if !seen.insert(over.source) {
            return Err(Error::DuplicateOverride { index, source: over.source });
        }
    }
    for (index, nmi) in description.nmis.iter().enumerate() {
        if nmi.lint > 1 {
            return Err(Error::NmiLint { index, lint: nmi.lint });
        }
        let NmiTarget::Uid(uid) = nmi.target else { continue };
        // An entry that is carried over from another MADT may be of a processor that
        // is not there.
        let ours = nmi.form == NmiForm::AsProcessors;
        if ours && !description.processors.iter().any(|p| p.uid == uid) {
            return Err(Error::NmiOfUnknownProcessor { index, uid });
        }
        let max = ProcessorUid(if nmi_is_type4(description, nmi) { 0xFE } else { 0xFFFF_FFFE });
        if uid > max {
            return Err(Error::NmiUidTooLarge { index, uid, max });
        }
    }
    Ok(())
}
