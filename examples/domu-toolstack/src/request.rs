//! What guest is asked for: a topology, and the host nodes that back its vnodes.

use std::fs;
use std::path::{Path, PathBuf};

use acpi_gen::{Distances, MemoryRange, ProcessorState};
use hv_glue::{GuestPlan, GuestRequest, OwnedArena, VnodeId};
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

/// A guest as it is asked for: the plan of it says what Xen takes.
#[derive(Debug)]
pub(crate) struct Request {
    /// For the plan and the tables.
    pub(crate) machine: Machine,
    /// Each vnode's host node.
    pub(crate) pnodes: Vec<u8>,
    /// Each vCPU's vnode, as Xen takes it.
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
        let vcpus = machine.processors.len();
        if vcpus > MAX_VCPUS {
            return Err(Failure::Request(format!("{vcpus} vCPUs; expected at most {MAX_VCPUS}")));
        }
        let mut arena = OwnedArena::default();
        let plan = plan(&machine, &mut arena)?;
        let layout = plan.layout();
        let index = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let vnode = |domain| layout.vnode(domain).map_or(u32::MAX, |vnode| vnode.0);
        let vnodes = index(layout.vnodes());
        let in_turn = || host.iter().copied().cycle().take(vnodes).collect();
        let pnodes: Vec<u8> = pnodes.unwrap_or_else(in_turn);
        if pnodes.len() != vnodes {
            let what =
                format!("{} pnodes for {vnodes} vnodes; expected one for each", pnodes.len());
            return Err(Failure::Request(what));
        }
        let numbers = || (0..layout.vnodes()).map(VnodeId);
        let pairs = numbers().flat_map(|from| numbers().map(move |to| (from, to)));
        let vcpu_to_vnode =
            plan.processors().iter().filter_map(|it| it.domain).map(vnode).collect();
        let distances = pairs.map(|(from, to)| layout.distance(from, to).get().into()).collect();
        let memory = layout
            .memory()
            .iter()
            .filter(|memory| !memory.hot_pluggable)
            .map(|memory| (*memory, index(vnode(memory.domain))))
            .collect();
        let request = Self { machine, pnodes, vcpu_to_vnode, distances, memory };
        request.check_memory()?;
        Ok(request)
    }

    fn check_memory(&self) -> Result<(), Failure> {
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
        (0..self.pnodes.len()).map(|vnode| self.bytes_of(vnode)).fold(0, u64::saturating_add)
    }
}

/// The plan of a guest.
pub(crate) fn plan<'a>(
    machine: &Machine,
    arena: &'a mut OwnedArena,
) -> Result<GuestPlan<'a>, Failure> {
    let request = GuestRequest {
        processors: &machine.processors,
        memory: &machine.memory,
        distances: Distances { domains: &machine.domains, matrix: &machine.distances },
        ..GuestRequest::EMPTY
    };
    Ok(arena.plan_guest(request)?)
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
