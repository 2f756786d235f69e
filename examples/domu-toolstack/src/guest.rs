//! A guest that can be started: a domain with memory, kernel, tables and entry state.

use std::fs;
use std::path::{Path, PathBuf};

use acpi_gen::ApicId;
use hv_glue::OwnedArena;
use pvh_loader::{E820Entry, E820Type, Guest, Kernel, Lists, Module, Plan, map_len};
use xen_hypercall::Xen;

use crate::domain::{self, OptIn, Order};
use crate::failure::Failure;
use crate::memory::{self, DomainMemory};
use crate::owned::OwnedDomain;
use crate::request::{self, Request};
use crate::{entry, ids, special};

/// Which ids the tables get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MadtIds {
    /// Those that Xen gives.
    Xen,
    /// vcpu_id * 2, whatever Xen says: for an opted-in guest a breach of the contract.
    Legacy,
}

/// How a guest is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) opt_in: OptIn,
    pub(crate) order: Order,
    pub(crate) madt_ids: MadtIds,
    pub(crate) native_tsc: bool,
}

/// What a guest starts with.
pub(crate) struct Images {
    kernel: Vec<u8>,
    initrd: Option<Vec<u8>>,
    command_line: String,
}

impl Images {
    pub(crate) fn read(
        kernel: &Path,
        initrd: Option<&Path>,
        command_line: &str,
    ) -> Result<Self, Failure> {
        let file = read(kernel)?;
        let image = pvh_boot::decompress::elf_image(&file)
            .map_err(|error| Failure::File { path: kernel.to_owned(), what: error.to_string() })?;
        Ok(Self {
            kernel: image.into_owned(),
            initrd: initrd.map(read).transpose()?,
            command_line: command_line.to_owned(),
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::File {
        path: PathBuf::from(path),
        what: error.to_string(),
    };
    fs::read(path).map_err(failed)
}

/// A guest that has not been started.
pub(crate) struct BuiltGuest<'x> {
    pub(crate) domain: OwnedDomain<'x>,
    /// Its ids and CPUID follow its layout.
    pub(crate) opted_in: bool,
    /// The ids by Xen, or legacy where it does not say.
    pub(crate) ids: Vec<u32>,
    pub(crate) id_source: ids::Source,
    /// The ids in the tables.
    pub(crate) madt: Vec<u32>,
    /// Where everything is, as human-readable text.
    pub(crate) plan: String,
}

/// Makes a guest, or leaves no domain.
pub(crate) fn build<'x>(
    xen: &'x Xen,
    request: &Request,
    images: &Images,
    options: Options,
) -> Result<BuiltGuest<'x>, Failure> {
    // What can be wrong with the images shows before there is a domain.
    let kernel = Kernel::parse(&images.kernel)?;
    let (domain, opted_in) = domain::create(xen, request, options.opt_in, options.order)?;
    let id = domain.id();
    if options.native_tsc {
        domain::set_native_tsc(xen, id)?;
    }
    domain::set_paging_mempool(xen, id, request)?;
    let vcpus = request.machine.processors.len();
    let (from_xen, id_source) = ids::of_domain(xen, id, vcpus)?;
    let madt = match options.madt_ids {
        MadtIds::Xen => from_xen.clone(),
        MadtIds::Legacy => ids::legacy(vcpus),
    };

    let mut arena = OwnedArena::default();
    let mut plan = request::plan(&request.machine, &mut arena)?;
    plan.set_ids(&madt.iter().copied().map(ApicId).collect::<Vec<_>>())?;
    let tables = plan.tables(request.machine.description())?;
    let modules: Vec<Module<'_>> =
        images.initrd.iter().map(|bytes| Module { bytes, command_line: &[] }).collect();
    let ram: Vec<E820Entry> = request
        .memory
        .iter()
        .map(|(memory, _)| E820Entry { range: memory.range, kind: E820Type::RAM })
        .collect();
    let guest = Guest {
        kernel,
        modules: &modules,
        command_line: images.command_line.as_bytes(),
        memory: &ram,
        reserved: &[],
        busy: &[],
        tables: tables.with_hypervisor_vendor(*b"XenVMMXe"),
    };
    let mut places = vec![None; modules.len()];
    let mut map = vec![None; map_len(ram.len())];
    let plan = Plan::new(guest, Lists { modules: &mut places, map: &mut map })?;

    memory::populate(xen, id, request)?;
    let mut target = DomainMemory::new(xen, id, request);
    let mut buffer = vec![0; plan.tables_len()];
    let state = match plan.write_guest(&mut buffer, &mut target) {
        Ok(state) => state,
        Err(error) => return Err(target.failure(error)),
    };
    special::set_identity_map(xen, id, &target)?;
    entry::set(xen, id, &state)?;
    Ok(BuiltGuest { domain, opted_in, ids: from_xen, id_source, madt, plan: plan.to_string() })
}
