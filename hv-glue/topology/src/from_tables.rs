//! A machine as its own MADT, SRAT and SLIT describe it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use acpi_gen::{
    ApicId, Distance, Entries, Gpa, GpaRange, Madt, MadtEntry, MemoryRange, Processor,
    ProcessorState, ProcessorUid, ProximityDomain, Revisions, Slit, Srat, SratEntry,
};

use crate::Machine;

/// Flags of MADT types 0 and 9. ACPI 6.5, tables 5.21 and 5.35.
const ENABLED: u32 = 1 << 0;
const ONLINE_CAPABLE: u32 = 1 << 1;
/// Flags of SRAT type 1. ACPI 6.5, table 5.59.
const HOT_PLUGGABLE: u32 = 1 << 1;
const NON_VOLATILE: u32 = 1 << 2;
/// Type 0 entries with this id are to be ignored.
const NO_XAPIC_ID: u8 = u8::MAX;

impl Machine {
    /// What a machine's tables say of its processors, memory, distances and
    /// interrupts. Without an SRAT nothing has a proximity domain.
    ///
    /// # Errors
    /// What is wrong with a table.
    pub fn from_tables(
        madt: &Madt<'_>,
        srat: Option<&Srat<'_>>,
        slit: Option<&Slit<'_>>,
    ) -> Result<Self, String> {
        let (processors, entries) = processors(madt)?;
        let mut machine = Self {
            processors,
            memory: Vec::new(),
            domains: Vec::new(),
            distances: Vec::new(),
            io_apics: Vec::new(),
            overrides: Vec::new(),
            nmis: Vec::new(),
            entries,
            revisions: Revisions::MadtOf(madt.table().revision()),
            pcat_compat: madt.pcat_compat(),
            oem: madt.table().oem(),
        };
        machine.take_interrupts_of(madt)?;
        if let Some(srat) = srat {
            machine.take_affinity_of(srat)?;
        }
        if let Some(slit) = slit {
            machine.take_distances_of(slit);
        }
        Ok(machine)
    }

    fn take_affinity_of(&mut self, srat: &Srat<'_>) -> Result<(), String> {
        let mut domains = BTreeMap::new();
        // Before revision 2 only the lowest byte of a domain counts.
        let wide = srat.table().revision() >= 2;
        let domain_of = |domain: ProximityDomain| {
            if wide { domain } else { ProximityDomain(domain.0 & 0xFF) }
        };
        for entry in srat.entries() {
            match entry.map_err(|error| error.to_string())? {
                SratEntry::LocalApic { domain, apic_id, flags, .. } if flags & ENABLED != 0 => {
                    domains.insert(ApicId(apic_id.into()), domain_of(domain));
                }
                SratEntry::X2Apic { domain, apic_id, flags, .. } if flags & ENABLED != 0 => {
                    domains.insert(apic_id, domain_of(domain));
                }
                SratEntry::Memory { domain, base, length, flags }
                    if flags & ENABLED != 0 && length > 0 =>
                {
                    let range = GpaRange::with_size(Gpa(base), length);
                    self.memory.push(MemoryRange {
                        range: range.map_err(|error| error.to_string())?,
                        domain: domain_of(domain),
                        hot_pluggable: flags & HOT_PLUGGABLE != 0,
                        non_volatile: flags & NON_VOLATILE != 0,
                    });
                }
                _ => {}
            }
        }
        self.memory.sort_by_key(|memory| memory.range);
        for processor in &mut self.processors {
            processor.domain = domains.get(&processor.apic_id).copied();
        }
        Ok(())
    }

    /// The distances between the domains that something is in; a SLIT has more.
    fn take_distances_of(&mut self, slit: &Slit<'_>) {
        let of_processors = self.processors.iter().filter_map(|processor| processor.domain);
        let of_memory = self.memory.iter().map(|memory| memory.domain);
        let domains: BTreeSet<_> = of_processors.chain(of_memory).collect();
        self.domains = domains.into_iter().collect();
        let distance = |from: ProximityDomain, to| match slit.distance(from, to) {
            Some(u8::MAX) => Distance::UNREACHABLE,
            Some(value) => Distance::clamped(value.into()),
            None if from == to => Distance::LOCAL,
            None => Distance::REMOTE,
        };
        let pairs =
            self.domains.iter().flat_map(|&from| self.domains.iter().map(move |&to| (from, to)));
        self.distances = pairs.map(|(from, to)| distance(from, to)).collect();
    }
}

/// The processors in the MADT's order, and which kind of entry names them.
fn processors(madt: &Madt<'_>) -> Result<(Vec<Processor>, Entries), String> {
    let mut processors = Vec::new();
    let mut seen = BTreeSet::new();
    let mut entries = Entries::X2Apic;
    for entry in madt.entries() {
        let (uid, apic_id, flags) = match entry.map_err(|error| error.to_string())? {
            MadtEntry::LocalApic { uid, apic_id, flags } if apic_id != NO_XAPIC_ID => {
                if flags & (ENABLED | ONLINE_CAPABLE) != 0 {
                    entries = Entries::Hybrid;
                }
                (ProcessorUid(uid.into()), ApicId(apic_id.into()), flags)
            }
            MadtEntry::X2Apic { uid, apic_id, flags } if apic_id != ApicId::RESERVED => {
                (uid, apic_id, flags)
            }
            _ => continue,
        };
        let state = if flags & ENABLED != 0 {
            ProcessorState::Enabled
        } else if flags & ONLINE_CAPABLE != 0 {
            ProcessorState::OnlineCapable
        } else {
            continue;
        };
        // Some firmware names a processor by both kinds of entry.
        if seen.insert(apic_id) {
            processors.push(Processor { uid, apic_id, domain: None, state });
        }
    }
    Ok((processors, entries))
}

#[cfg(test)]
mod tests {
    use acpi_gen::{TableSet, madt, slit, srat};

    use super::*;
    use crate::TopologyFile;

    /// The tables of a topology, read back, are the topology.
    #[test]
    fn a_topology_survives_its_own_tables() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/topologies");
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let file = TopologyFile::parse(&std::fs::read(&path).unwrap()).unwrap();
            let topology = file.topology().unwrap();
            let set = TableSet::new(&topology);
            let mut bytes = alloc::vec![0; set.len().unwrap()];
            let placed = set.emit(&mut bytes, Gpa(0xFC00_0000)).unwrap();
            let table = |signature| &bytes[placed.table(signature).unwrap().offset..];
            let madt = Madt::parse(table(madt::SIGNATURE)).unwrap();
            let srat = Srat::parse(table(srat::SIGNATURE)).unwrap();
            let slit = Slit::parse(table(slit::SIGNATURE)).unwrap();
            let machine = Machine::from_tables(&madt, Some(&srat), Some(&slit)).unwrap();
            let name = path.display();
            assert_eq!(machine.processors, file.machine.processors, "{name}");
            assert_eq!(machine.memory, file.machine.memory, "{name}");
            assert_eq!(machine.io_apics, file.machine.io_apics, "{name}");
            assert_eq!(machine.overrides, file.machine.overrides, "{name}");
            assert_eq!(machine.entries, file.machine.entries, "{name}");
            let again = machine.topology().unwrap();
            let mut twice = alloc::vec![0; slit::len(&again).unwrap()];
            slit::emit(&again, &mut twice).unwrap();
            assert_eq!(twice, slit.table().bytes(), "{name}");
            files += 1;
        }
        assert!(files > 10);
    }
}
