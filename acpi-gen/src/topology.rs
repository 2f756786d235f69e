//! The validated description: from it, emitting cannot fail for its content.

use crate::{
    ApicId, Description, Distance, Entries, Error, LocalNmi, NmiForm, NmiTarget, Processor,
    ProcessorUid, ProximityDomain, bits::BitSet256, sort,
};

/// The highest domain number: a SLIT has at most 65,535 localities here.
const MAX_DOMAIN: ProximityDomain = ProximityDomain(65_534);

/// A description that has passed every rule. Holds what it derived once: how
/// many localities and how many entries of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Topology<'a> {
    description: Description<'a>,
    localities: u32,
    counts: Counts,
}

/// What one pass over the processors counts.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// MADT entries of type 0.
    type0: usize,
    /// SRAT entries of type 0.
    srat_type0: usize,
    /// SRAT entries of type 2.
    srat_type2: usize,
    highest_domain: Option<ProximityDomain>,
}

impl Counts {
    #[inline(always)]
    fn add(&mut self, type0: bool, domain: Option<ProximityDomain>) {
        let in_srat = domain.is_some();
        // Each count is at most that of the processors, so none wraps.
        self.type0 = self.type0.wrapping_add(usize::from(type0));
        self.srat_type0 = self.srat_type0.wrapping_add(usize::from(type0 && in_srat));
        self.srat_type2 = self.srat_type2.wrapping_add(usize::from(!type0 && in_srat));
        self.highest_domain = self.highest_domain.max(domain);
    }
}

/// Whether each value is greater than the one before it, so that none stands twice.
struct Ascending {
    so_far: bool,
    /// What the next value must be at least.
    least: u64,
}

impl Default for Ascending {
    fn default() -> Self {
        Self { so_far: true, least: 0 }
    }
}

impl Ascending {
    #[inline(always)]
    fn see(&mut self, value: u32) {
        let value = u64::from(value);
        self.so_far &= value >= self.least;
        self.least = value.wrapping_add(1);
    }
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
        let counts = check_processors(&description, scratch)?;
        check_memory(&description)?;
        check_distances(&description, scratch)?;
        check_interrupts(&description)?;
        let of_memory = description.memory.iter().map(|memory| memory.domain).max();
        let highest = counts.highest_domain.max(of_memory);
        if highest > Some(MAX_DOMAIN)
            && let Some(domain) = used_domains(&description).find(|domain| *domain > MAX_DOMAIN)
        {
            return Err(Error::TooManyLocalities { domain, max: MAX_DOMAIN });
        }
        let localities = highest.map_or(0, |domain| domain.0.saturating_add(1));
        Ok(Self { description, localities, counts })
    }

    /// What was described.
    #[must_use]
    pub const fn description(&self) -> &Description<'a> {
        &self.description
    }

    /// Localities of the SLIT: the highest proximity domain plus 1, and 0 where
    /// neither processors nor memory have a domain (then there is no SRAT or SLIT).
    pub(crate) const fn localities(&self) -> u32 {
        self.localities
    }

    /// Whether this processor has type 0 entries, by the description's [`Entries`].
    #[must_use]
    pub(crate) fn uses_type0(&self, processor: &Processor) -> bool {
        uses_type0(self.description.entries, processor)
    }

    /// Processors with a type 0 entry in the MADT.
    pub(crate) const fn type0_count(&self) -> usize {
        self.counts.type0
    }

    /// Processors with an SRAT entry, of type 0 and of type 2.
    pub(crate) const fn affinity_counts(&self) -> (usize, usize) {
        (self.counts.srat_type0, self.counts.srat_type2)
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

/// The domains that something lies in, as often as they are named.
fn used_domains(description: &Description<'_>) -> impl Iterator<Item = ProximityDomain> {
    let of_memory = description.memory.iter().map(|memory| memory.domain);
    description.processors.iter().filter_map(|processor| processor.domain).chain(of_memory)
}

/// One pass, and two more for UIDs or ids that do not ascend.
fn check_processors(description: &Description<'_>, scratch: &mut [u32]) -> Result<Counts, Error> {
    let processors = description.processors;
    match processors.first() {
        None => return Err(Error::NoProcessors),
        Some(first) if first.state != crate::ProcessorState::Enabled => {
            return Err(Error::BootProcessorAbsent { uid: first.uid });
        }
        Some(_) => {}
    }
    let mut counts = Counts::default();
    let (mut uids, mut ids) = (Ascending::default(), Ascending::default());
    for (index, processor) in processors.iter().enumerate() {
        let Processor { uid, apic_id: id, .. } = *processor;
        let type0 = uses_type0(description.entries, processor);
        if id == ApicId::RESERVED {
            return Err(Error::ReservedApicId { index, id });
        }
        if type0 && uid.0 > 255 {
            return Err(Error::UidTooLargeForType0 { index, uid, id });
        }
        counts.add(type0, processor.domain);
        uids.see(uid.0);
        ids.see(id.0);
    }
    if !uids.so_far
        && let Some((value, first, second)) = duplicate(processors, |p| p.uid.0, scratch)
    {
        return Err(Error::DuplicateUid { uid: ProcessorUid(value), first, second });
    }
    if !ids.so_far
        && let Some((value, first, second)) = duplicate(processors, |p| p.apic_id.0, scratch)
    {
        return Err(Error::DuplicateApicId { id: ApicId(value), first, second });
    }
    Ok(counts)
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

    if domains.is_empty() {
        return Ok(());
    }

    // One mark for each row whose domain a processor or a range has.
    let Some((marks, _)) = scratch.split_at_mut_checked(domains.len()) else {
        return Ok(());
    };
    marks.fill(0);
    for domain in used_domains(description) {
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
