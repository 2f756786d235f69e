//! Layouts that Xen must refuse, asked of it past every check of ours.

use xen_hypercall::{
    CreateDomain, DomainId, EmulationFlags, Error, Vmemrange, Vnuma, Xen, records,
};

use crate::domain::{self, OptIn, Order, ranges};
use crate::failure::Failure;
use crate::owned::OwnedDomain;
use crate::request::Request;

/// The arrays of a layout, to be spoilt.
#[derive(Clone)]
struct Arrays {
    distances: Vec<u32>,
    vcpu_to_vnode: Vec<u32>,
    vnode_to_pnode: Vec<u32>,
    ranges: Vec<Vmemrange>,
}

impl Arrays {
    fn of(request: &Request) -> Self {
        Self {
            distances: request.distances.clone(),
            vcpu_to_vnode: request.vcpu_to_vnode.clone(),
            vnode_to_pnode: request.pnodes.iter().copied().map(u32::from).collect(),
            ranges: ranges(request),
        }
    }

    fn set(&self, xen: &Xen, domain: DomainId) -> Result<(), Error> {
        let Self { distances, vcpu_to_vnode, vnode_to_pnode, ranges } = self;
        xen.set_vnuma(domain, &Vnuma { distances, vcpu_to_vnode, vnode_to_pnode, ranges })
    }
}

/// A name and how it spoils a layout.
type Defect = (&'static str, fn(&mut Arrays));

const DEFECTS: [Defect; 5] = [
    ("vcpu-on-unknown-vnode", |arrays| {
        let vnodes = u32::try_from(arrays.vnode_to_pnode.len()).unwrap_or(u32::MAX);
        arrays.vcpu_to_vnode.iter_mut().take(1).for_each(|vnode| *vnode = vnodes);
    }),
    ("too-few-vcpus", |arrays| {
        arrays.vcpu_to_vnode.pop();
    }),
    ("too-many-vcpus", |arrays| arrays.vcpu_to_vnode.push(0)),
    ("range-with-flags", |arrays| {
        arrays.ranges.iter_mut().take(1).for_each(|range| range.flags = 1);
    }),
    ("pnode-above-all", |arrays| {
        arrays.vnode_to_pnode.iter_mut().take(1).for_each(|pnode| *pnode = 0xFF);
    }),
];

/// Sets each spoilt layout on a domain that has a good one, gives Xen's answers to
/// `answer`, and says whether the good one is still there.
pub(crate) fn ask(
    xen: &Xen,
    request: &Request,
    opt_in: OptIn,
    mut answer: impl FnMut(&'static str, Result<(), Error>),
) -> Result<bool, Failure> {
    let (domain, _) = domain::create(xen, request, opt_in, Order::PolicyVnuma)?;
    let id = domain.id();
    // Not the whole saved state: the time-stamp counter goes on.
    let state = || {
        let saved = xen.hvm_context(id)?;
        let apics: Vec<u32> =
            records(&saved)?.iter().filter_map(|it| it.apic_id_register()).collect();
        Ok::<_, Failure>((xen.vnuma_info(id)?, xen.cpu_policy(id)?, apics))
    };
    let before = state()?;
    for (name, spoil) in DEFECTS {
        let mut arrays = Arrays::of(request);
        spoil(&mut arrays);
        answer(name, arrays.set(xen, id));
    }
    let same = state()? == before;
    drop(domain);
    answer("ids-that-do-not-fit", ids_that_do_not_fit(xen, opt_in)?);
    Ok(same)
}

/// 97 vCPUs on a vnode and 1 on each of 31 others: 32 windows of 128 ids do not fit 255.
fn ids_that_do_not_fit(xen: &Xen, opt_in: OptIn) -> Result<Result<(), Error>, Failure> {
    let vnodes = 32_u32;
    let vcpu_to_vnode: Vec<u32> = std::iter::repeat_n(0, 97).chain(1..vnodes).collect();
    let config = CreateDomain {
        flags: domain::pvh_flags(opt_in != OptIn::No),
        emulation: EmulationFlags::LAPIC,
        max_vcpus: u32::try_from(vcpu_to_vnode.len()).unwrap_or(u32::MAX),
        handle: [0; 16],
    };
    let domain = OwnedDomain::create(xen, &config)?;
    let distance = |from, to| if from == to { 10 } else { 20 };
    let arrays = Arrays {
        distances: (0..vnodes)
            .flat_map(|from| (0..vnodes).map(move |to| distance(from, to)))
            .collect(),
        vcpu_to_vnode,
        vnode_to_pnode: (0..vnodes).map(|_| 0).collect(),
        ranges: vec![Vmemrange { start: 0, end: 0x1000_0000, flags: 0, nid: 0 }],
    };
    Ok(arrays.set(xen, domain.id()))
}
