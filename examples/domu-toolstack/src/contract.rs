//! `contract`: what Xen promises of ids and leaves, asked without starting a guest.

use serde::Serialize;
use xen_hypercall::{
    CpuPolicy, DomainFlags, DomainId, EmulationFlags, Errno, Error, Populate, PopulateNode, Record,
    RecordWriter, Xen, records,
};

use crate::domain::{self, OptIn, Order};
use crate::failure::Failure;
use crate::request::{Request, RequestArgs};
use crate::{host, refusals, report};

/// Check what Xen promises of ids and CPUID leaves, without starting a guest
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// With XEN_DOMCTL_CDF_vnuma_apic_topology
    #[arg(long)]
    opt_in: bool,
}

/// What a guest would see of its topology.
#[derive(Clone, PartialEq, Eq, Serialize)]
struct Seen {
    /// By XEN_DOMCTL_get_vcpu_apicids; none where Xen does not know it.
    ids: Option<Vec<u32>>,
    /// The local APICs' ID registers.
    apic_registers: Vec<u32>,
    /// Leaves 1, 4, 0xB and 0x80000008: leaf, subleaf, EAX to EDX.
    leaves: Vec<[u32; 6]>,
}

#[derive(Serialize)]
struct Orders<'a> {
    order: Order,
    /// After gethvmcontext and sethvmcontext with the same bytes.
    restored: bool,
    #[serde(flatten)]
    seen: &'a Seen,
}

/// A call, and Xen's answer: "ok" or the error number.
#[derive(Serialize)]
struct Answer {
    call: &'static str,
    answer: String,
}

pub(crate) fn run(xen: &Xen, args: &Args) -> Result<(), Failure> {
    let request = Request::read(&args.request, &host::nodes(&xen.host_numa()?))?;
    let opt_in = if args.opt_in { OptIn::Required } else { OptIn::No };
    pv_with_flag(xen, &request);
    orders(xen, &request, opt_in)?;
    queries(xen, &request, opt_in)?;
    after_run(xen, &request, opt_in)?;
    without_layout(xen, &request, opt_in)?;
    other_saved_id(xen, &request, opt_in)?;
    dying(xen, &request, opt_in)?;
    let unchanged = refusals::ask(xen, &request, opt_in, |name, result| {
        answer(name, result.as_ref().copied());
    })?;
    if !unchanged {
        return Err(Failure::Contract("a refused layout changed the domain".into()));
    }
    read_back(xen, &request, opt_in)
}

/// Reports Xen's answer; other failures of the call are returned.
fn answer_of(call: &'static str, result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Ok(()) => answer(call, Ok(())),
        Err(Failure::Xen(error)) => answer(call, Err(&error)),
        Err(other) => return Err(other),
    }
    Ok(())
}

fn answer(call: &'static str, result: Result<(), &Error>) {
    let answer = match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => error.errno().map_or_else(|| error.to_string(), |errno| errno.to_string()),
    };
    report::line("answer", &Answer { call, answer });
}

/// PV has neither leaf 0xB nor local APICs: the flag means nothing there.
fn pv_with_flag(xen: &Xen, request: &Request) {
    let flags = DomainFlags::VNUMA_APIC_TOPOLOGY;
    match domain::empty(xen, request, flags, EmulationFlags::NONE) {
        Ok(_) => answer("pv-with-flag", Ok(())),
        Err(Failure::Xen(error)) => answer("pv-with-flag", Err(&error)),
        Err(other) => eprintln!("{other}"),
    }
}

fn orders(xen: &Xen, request: &Request, opt_in: OptIn) -> Result<(), Failure> {
    let mut first: Option<Seen> = None;
    for order in Order::ALL {
        let (domain, _) = domain::create(xen, request, opt_in, order)?;
        for restored in [false, true] {
            if restored {
                let state = xen.hvm_context(domain.id())?;
                xen.set_hvm_context(domain.id(), &state)?;
            }
            let seen = look(xen, domain.id())?;
            report::line("order", &Orders { order, restored, seen: &seen });
            if first.as_ref().is_some_and(|first| *first != seen) {
                let what = format!("order {order:?}, restored {restored}: another topology");
                return Err(Failure::Contract(what));
            }
            first.get_or_insert(seen);
        }
    }
    Ok(())
}

fn look(xen: &Xen, domain: DomainId) -> Result<Seen, Failure> {
    let ids = match xen.vcpu_apic_ids(domain) {
        Ok(ids) => Some(ids),
        Err(error) if error.errno() == Some(Errno::ENOSYS) => None,
        Err(error) => return Err(error.into()),
    };
    let state = xen.hvm_context(domain)?;
    let apic_registers =
        records(&state)?.iter().filter_map(|record| record.apic_id_register()).collect();
    Ok(Seen { ids, apic_registers, leaves: leaves(&xen.cpu_policy(domain)?) })
}

fn leaves(policy: &CpuPolicy) -> Vec<[u32; 6]> {
    policy
        .leaves
        .iter()
        .filter(|leaf| matches!(leaf.leaf, 1 | 4 | 0xB | 0x8000_0008))
        .map(|leaf| [leaf.leaf, leaf.subleaf, leaf.a, leaf.b, leaf.c, leaf.d])
        .collect()
}

#[derive(Serialize)]
struct Query {
    capacity: u32,
    answer: String,
    filled: u32,
    ids: Vec<u32>,
}

/// Capacities below, at and above the number of vCPUs.
fn queries(xen: &Xen, request: &Request, opt_in: OptIn) -> Result<(), Failure> {
    let (domain, _) = domain::create(xen, request, opt_in, Order::PolicyVnuma)?;
    let vcpus = u32::try_from(request.machine.processors.len()).unwrap_or(u32::MAX);
    for capacity in [0, 1, vcpus.saturating_sub(1), vcpus, vcpus.saturating_add(1)] {
        let query = xen.query_apic_ids(domain.id(), capacity)?;
        let answer = match &query.result {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.errno().map_or_else(String::new, |errno| errno.to_string()),
        };
        report::line("query", &Query { capacity, answer, filled: query.filled, ids: query.ids });
    }
    Ok(())
}

/// The same layout and another for a domain that was unpaused once. No vCPU runs: none has a state.
fn after_run(xen: &Xen, request: &Request, opt_in: OptIn) -> Result<(), Failure> {
    let (domain, _) = domain::create(xen, request, opt_in, Order::PolicyVnuma)?;
    xen.unpause_domain(domain.id())?;
    xen.pause_domain(domain.id())?;
    let same = domain::set_vnuma(xen, domain.id(), request);
    answer_of("setvnumainfo-same-after-run", same)?;
    let reversed: Vec<u32> = request.vcpu_to_vnode.iter().rev().copied().collect();
    let other = domain::set_vnuma_of(xen, domain.id(), request, &reversed);
    answer_of("setvnumainfo-other-after-run", other)
}

/// A domain that never gets a layout: no ids, and no start.
fn without_layout(xen: &Xen, request: &Request, opt_in: OptIn) -> Result<(), Failure> {
    let (domain, _) = domain::empty_pvh(xen, request, opt_in)?;
    let id = domain.id();
    let vcpus = u32::try_from(request.machine.processors.len()).unwrap_or(u32::MAX);
    xen.set_max_vcpus(id, vcpus)?;
    let query = xen.query_apic_ids(id, vcpus)?;
    answer("query-without-layout", query.result.as_ref().copied());
    answer("unpause-without-layout", xen.unpause_domain(id).as_ref().copied());
    Ok(())
}

/// Saved state of another layout: a local APIC's register has another id.
fn other_saved_id(xen: &Xen, request: &Request, opt_in: OptIn) -> Result<(), Failure> {
    let (domain, _) = domain::create(xen, request, opt_in, Order::PolicyVnuma)?;
    let state = xen.hvm_context(domain.id())?;
    let mut writer = RecordWriter::with_header_of(&state)?;
    for record in records(&state)?.iter().skip(1) {
        let bytes = record.with_apic_id_register(0x7F << 24);
        writer.push(&Record { bytes: &bytes, ..*record });
    }
    let loaded = xen.set_hvm_context(domain.id(), &writer.finish());
    answer("sethvmcontext-other-id", loaded.as_ref().copied());
    Ok(())
}

/// A domain that is destroyed but not gone, for a page of it is mapped here.
fn dying(xen: &Xen, request: &Request, opt_in: OptIn) -> Result<(), Failure> {
    let (domain, _) = domain::create(xen, request, opt_in, Order::PolicyVnuma)?;
    let id = domain.id();
    let page = Populate { frames: &[0], order: 0, node: PopulateNode::Any };
    if xen.populate(id, &page)? != 1 {
        return Err(Failure::Contract("no page for a domain".into()));
    }
    let mapped = xen.map_foreign(id, page.frames)?;
    drop(domain);
    let vcpus = u32::try_from(request.machine.processors.len()).unwrap_or(u32::MAX);
    answer("query-of-dying", xen.query_apic_ids(id, vcpus)?.result.as_ref().copied());
    drop(mapped);
    Ok(())
}

/// What Xen tells a guest of its layout is what it was given.
fn read_back(xen: &Xen, request: &Request, opt_in: OptIn) -> Result<(), Failure> {
    let (domain, _) = domain::create(xen, request, opt_in, Order::PolicyVnuma)?;
    let info = xen.vnuma_info(domain.id())?;
    let same = info.distances == request.distances
        && info.vcpu_to_vnode == request.vcpu_to_vnode
        && info.ranges == domain::ranges(request);
    if same {
        answer("get_vnumainfo", Ok(()));
        Ok(())
    } else {
        Err(Failure::Contract("get_vnumainfo answers another layout than was set".into()))
    }
}
