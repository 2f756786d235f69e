//! What guest is asked for: a topology, and the host nodes that back its vnodes.

use std::fs;
use std::path::{Path, PathBuf};

use acpi_gen::{MemoryRange, ProcessorState, ProximityDomain};
use hv_glue::VnodeId;
use hv_glue_topology::{FileError, Machine, TopologyFile, XlConfig};

use crate::failure::Failure;

/// Where the topology comes from.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Source {
    /// Topology file (TOML)
    #[arg(long, value_name = "TOML")]
    topology: Option<PathBuf>,
    /// xl's configuration: its vnuma, vcpus, memory
    #[arg(long, value_name = "CFG")]
    config: Option<PathBuf>,
}

/// The guest that is asked for.
#[derive(clap::Args, Debug)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    source: Source,
    /// Host node of each vnode; by default the configuration's pnodes, else the host's nodes in turn
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', requires = "topology")]
    pnodes: Option<Vec<u8>>,
}

/// A guest's layout as Xen takes it, and its machine for the tables.
#[derive(Debug)]
pub(crate) struct Request {
    /// For the tables; vnode n is the domain `domains[n]`.
    pub(crate) machine: Machine,
    pub(crate) domains: Vec<ProximityDomain>,
    /// Each vnode's host node.
    pub(crate) pnodes: Vec<u8>,
    pub(crate) vcpu_to_vnode: Vec<u32>,
    /// Distances between the vnodes, row by row.
    pub(crate) distances: Vec<u32>,
    /// RAM at boot, with each range's vnode.
    pub(crate) memory: Vec<(MemoryRange, usize)>,
}

/// Xen's HVM_MAX_VCPUS.
const MAX_VCPUS: usize = 128;

impl Request {
    /// Reads the topology; `host` are the numbers of the host's nodes.
    pub(crate) fn read(args: &RequestArgs, host: &[u8]) -> Result<Self, Failure> {
        let (path, (file, pnodes)) = match (&args.source.topology, &args.source.config) {
            (Some(path), _) => (path, from_topology(path, args.pnodes.clone())?),
            (None, Some(path)) => (path, from_config(path)?),
            (None, None) => return Err(Failure::Request("neither --topology nor --config".into())),
        };
        // The library's rules, with the lines of what breaks them.
        file.topology().map_err(|error| at_line(path, error))?;
        Self::new(file.machine, pnodes, host)
    }

    fn new(machine: Machine, pnodes: Option<Vec<u8>>, host: &[u8]) -> Result<Self, Failure> {
        let mut domains: Vec<ProximityDomain> = machine
            .processors
            .iter()
            .filter_map(|processor| processor.domain)
            .chain(machine.memory.iter().map(|memory| memory.domain))
            .collect();
        domains.sort();
        domains.dedup();
        let vnode_of = |domain: Option<ProximityDomain>| {
            domain.and_then(|domain| domains.binary_search(&domain).ok())
        };
        let in_turn = || host.iter().copied().cycle().take(domains.len()).collect();
        let pnodes = pnodes.unwrap_or_else(in_turn);
        if pnodes.len() != domains.len() {
            let what =
                format!("{} pnodes for {} vnodes: one for each", pnodes.len(), domains.len());
            return Err(Failure::Request(what));
        }
        let vcpus = machine.processors.len();
        if vcpus > MAX_VCPUS {
            return Err(Failure::Request(format!("{vcpus} vCPUs: at most {MAX_VCPUS} in Xen")));
        }
        let vcpu_to_vnode: Vec<u32> = machine
            .processors
            .iter()
            .filter_map(|processor| u32::try_from(vnode_of(processor.domain)?).ok())
            .collect();
        let memory: Vec<(MemoryRange, usize)> = machine
            .memory
            .iter()
            .filter(|memory| !memory.hot_pluggable)
            .filter_map(|memory| Some((*memory, vnode_of(Some(memory.domain))?)))
            .collect();
        let distances = distances(&machine, &domains);
        let request = Self { machine, domains, pnodes, vcpu_to_vnode, distances, memory };
        request.check_memory()?;
        Ok(request)
    }

    fn check_memory(&self) -> Result<(), Failure> {
        let misaligned = self.memory.iter().find(|(memory, _)| {
            let (start, end) = (memory.range.start().0, memory.range.end().0);
            !start.is_multiple_of(PAGE) || !end.is_multiple_of(PAGE)
        });
        if let Some((memory, _)) = misaligned {
            let (start, end) = (memory.range.start().0, memory.range.end().0);
            return Err(Failure::Request(format!(
                "memory {start:#x}-{end:#x}: whole pages are right"
            )));
        }
        let taken = |memory: &MemoryRange| {
            memory.range.start().0 < XEN_END && XEN_START < memory.range.end().0
        };
        if let Some((memory, _)) = self.memory.iter().find(|(memory, _)| taken(memory)) {
            let (start, end) = (memory.range.start().0, memory.range.end().0);
            return Err(Failure::Request(format!(
                "memory {start:#x}-{end:#x}: {XEN_START:#x}-{XEN_END:#x} is the local APIC's and Xen's"
            )));
        }
        Ok(())
    }

    /// vCPUs that are online at boot.
    pub(crate) fn online_vcpus(&self) -> usize {
        let enabled = |processor: &&acpi_gen::Processor| processor.state == ProcessorState::Enabled;
        self.machine.processors.iter().filter(enabled).count()
    }

    /// Bytes of each vnode.
    pub(crate) fn bytes_of(&self, vnode: usize) -> u64 {
        let own = self.memory.iter().filter(|(_, of)| *of == vnode);
        own.map(|(memory, _)| memory.range.size()).fold(0, u64::saturating_add)
    }

    /// Bytes in all.
    pub(crate) fn bytes(&self) -> u64 {
        (0..self.domains.len()).map(|vnode| self.bytes_of(vnode)).fold(0, u64::saturating_add)
    }

    /// Each vCPU's vnode as hv-glue takes it.
    pub(crate) fn vnode_ids(&self) -> Vec<VnodeId> {
        self.vcpu_to_vnode.iter().map(|&vnode| VnodeId(vnode)).collect()
    }
}

/// From the local APIC's page to the end of the pages that Xen's toolstacks give a guest.
const XEN_START: u64 = 0xFEE0_0000;
const XEN_END: u64 = 0xFF00_0000;

/// The page size.
pub(crate) const PAGE: u64 = 4096;

/// A topology, and its vnodes' host nodes where something says them.
type Described = (TopologyFile, Option<Vec<u8>>);

fn at_line(path: &Path, error: FileError) -> Failure {
    Failure::Input { path: path.to_owned(), error }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: std::io::Error| Failure::File { path: path.to_owned(), what: error.to_string() };
    fs::read(path).map_err(failed)
}

fn from_topology(path: &Path, pnodes: Option<Vec<u8>>) -> Result<Described, Failure> {
    let file = TopologyFile::parse(&read(path)?).map_err(|error| at_line(path, error))?;
    Ok((file, pnodes))
}

fn from_config(path: &Path) -> Result<Described, Failure> {
    let config = XlConfig::parse(&read(path)?).map_err(|error| at_line(path, error))?;
    let text = config.topology_text().map_err(|error| at_line(path, error))?;
    let file = TopologyFile::parse(text.as_bytes()).map_err(|error| at_line(path, error))?;
    let pnodes = config.vnodes.iter().map(|vnode| vnode.pnode.map(narrow).transpose());
    Ok((file, pnodes.collect::<Result<_, _>>()?))
}

fn narrow(pnode: u32) -> Result<u8, Failure> {
    u8::try_from(pnode).map_err(|_| Failure::Request(format!("pnode {pnode}: Xen has at most 255")))
}

/// The machine's matrix by vnode; pairs that it leaves out are 10 and 20.
fn distances(machine: &Machine, domains: &[ProximityDomain]) -> Vec<u32> {
    let known = |from: &ProximityDomain, to: &ProximityDomain| {
        let row = machine.domains.binary_search(from).ok()?;
        let column = machine.domains.binary_search(to).ok()?;
        let at = row.checked_mul(machine.domains.len())?.checked_add(column)?;
        machine.distances.get(at).map(|distance| u32::from(distance.get()))
    };
    let pairs = domains.iter().flat_map(|from| domains.iter().map(move |to| (from, to)));
    pairs.map(|(from, to)| known(from, to).unwrap_or(if from == to { 10 } else { 20 })).collect()
}
