//! The domains of host frames with any arguments, and guests' plans against plain arithmetic.

use acpi_gen::{
    Description, Distance, Distances, Errno, Gpa, MemoryRange, Processor, ProcessorUid,
    ProximityDomain, Violation,
};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::hypercall::{
    INVALID_NUMA_ID, MAX_MFNS, MfnPxms, PxmRange, get_mfn_pxms, merge_pxm_ranges,
};
use hv_glue::{Arena, ArenaSize, Error, Frames, GuestPlan, GuestRequest, NodeId, OwnedArena, Pfn};

use crate::host::{self, Block};
use crate::{Interest, encode};

/// Arguments of all calls.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Which call.
    pub call: u8,
    /// The hardware domain calls.
    pub hardware_domain: bool,
    /// Elements that the caller says there are.
    pub nr: u16,
    /// Must be 0.
    pub pad: u8,
    /// Frames, or distances.
    pub words: Vec<u64>,
    /// Memory blocks, or a guest's memory.
    pub blocks: Vec<Block>,
    /// Each vCPU's node.
    pub vcpus: Vec<u8>,
    /// Host nodes.
    pub pnodes: Vec<u8>,
}
encode::encode_fields!(Input { call, hardware_domain, nr, pad, words, blocks, vcpus, pnodes });

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    if input.call.is_multiple_of(2) {
        pxms(&input);
        merged(&input);
    } else {
        guest(&input);
    }
    Interest::Keep
}

fn pxms(input: &Input) {
    let range = |block: &hv_glue::MemoryBlock| {
        let Frames { start, end } = Frames::inside(block.range);
        PxmRange { start, end, domain: ProximityDomain(block.node.0) }
    };
    let ranges: Vec<_> = host::blocks(&input.blocks).iter().map(range).collect();
    let nr = u32::from(input.nr);
    let arguments = MfnPxms { hardware_domain: input.hardware_domain, nr, pad: input.pad.into() };
    let mut pxms = vec![0xA5A5_A5A5; input.words.len()];
    let result = get_mfn_pxms(&ranges, arguments, &input.words, &mut pxms);
    let ascending = ranges.windows(2).all(|pair| pair[0].end <= pair[1].start);
    let expected = match () {
        () if !input.hardware_domain => Some(Errno::EPERM),
        () if input.pad != 0 => Some(Errno::EINVAL),
        () if nr > MAX_MFNS => Some(Errno::E2BIG),
        () if !ascending => Some(Errno::EINVAL),
        () if pxms.len() < nr as usize => Some(Errno::ENOBUFS),
        () => None,
    };
    assert_eq!(result.map_err(|error| Violation::from(error).errno).err(), expected);
    let asked = if expected.is_none() { nr as usize } else { 0 };
    for (at, (mfn, pxm)) in input.words.iter().zip(&pxms).enumerate() {
        let has = |range: &&PxmRange| range.start <= Pfn(*mfn) && Pfn(*mfn) < range.end;
        let domain = ranges.iter().find(has).map_or(INVALID_NUMA_ID, |range| range.domain.0);
        assert_eq!(*pxm, if at < asked { domain } else { 0xA5A5_A5A5 });
    }
}

/// Ranges of one domain that overlap are one; all frames keep their answer.
fn merged(input: &Input) {
    let mut ranges: Vec<_> = input
        .words
        .chunks_exact(2)
        .zip(&input.vcpus)
        .map(|(words, domain)| {
            let start = Pfn(words[0] % 64);
            let domain = ProximityDomain((domain % 2).into());
            PxmRange { start, end: Pfn(start.0 + 1 + words[1] % 64), domain }
        })
        .collect();
    ranges.sort_by_key(|range| range.start);
    let before = ranges.clone();
    let left = merge_pxm_ranges(&mut ranges);
    ranges.truncate(left);
    let has = |ranges: &[PxmRange], frame, domain| {
        ranges.iter().any(|of| of.domain.0 == domain && (of.start..of.end).contains(&Pfn(frame)))
    };
    for (frame, domain) in (0..130).flat_map(|frame| [(frame, 0), (frame, 1)]) {
        assert_eq!(has(&ranges, frame, domain), has(&before, frame, domain));
    }
    for pair in ranges.windows(2) {
        assert!(pair[0].end <= pair[1].start || pair[0].domain != pair[1].domain);
    }
}

/// What a toolstack asks for, against the rules of its consumers.
fn guest(input: &Input) {
    let processors: Vec<_> = (0..)
        .zip(&input.vcpus)
        .map(|(uid, node)| Processor {
            uid: ProcessorUid(uid),
            domain: (*node < 0xF0).then_some(ProximityDomain((*node).into())),
            ..Arena::PROCESSOR
        })
        .collect();
    let memory: Vec<_> = host::blocks(&input.blocks)
        .into_iter()
        .map(|block| MemoryRange {
            range: block.range,
            domain: ProximityDomain(block.node.0),
            hot_pluggable: block.hotplug,
            non_volatile: false,
        })
        .collect();
    let side = usize::from(input.nr % 5);
    let domains: Vec<_> = (0..).map(ProximityDomain).take(side).collect();
    let matrix: Vec<_> = input.words.iter().map(|word| Distance::clamped(*word as u32)).collect();
    let pnodes: Vec<_> = input.pnodes.iter().map(|node| NodeId((*node).into())).collect();
    let request = GuestRequest {
        processors: &processors,
        memory: &memory,
        distances: Distances { domains: &domains, matrix: &matrix },
        pnodes: &pnodes,
    };
    let mut nodes: Vec<_> = processors.iter().filter_map(|processor| processor.domain).collect();
    nodes.extend(memory.iter().map(|memory| memory.domain));
    nodes.sort();
    nodes.dedup();
    let given = |from: ProximityDomain, to: ProximityDomain| {
        let default = if from == to { Distance::LOCAL } else { Distance::REMOTE };
        let (row, column) = (from.0 as usize, to.0 as usize);
        let known = row < side && column < side;
        if known { matrix[row * side + column] } else { default }
    };
    let aligned = |gpa: Gpa| gpa.0.is_multiple_of(4096);
    let valid = !processors.is_empty()
        && processors.iter().all(|processor| processor.domain.is_some())
        && nodes.len() <= 32
        && memory.len() <= 170
        && (pnodes.is_empty() || pnodes.len() == nodes.len())
        && side * side == matrix.len()
        && nodes.iter().all(|from| {
            nodes.iter().all(|to| {
                let value = given(*from, *to).get();
                if from == to { value == 10 } else { value > 10 }
            })
        })
        && memory.iter().all(|it| aligned(it.range.start()) && aligned(it.range.end()))
        && memory.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start());

    let mut arena = OwnedArena::new(ArenaSize::for_guest(processors.len()));
    let mut plan = GuestPlan::new();
    match plan.build(request, arena.slices()) {
        Ok(()) => assert!(valid),
        Err(error) => {
            assert!(!valid, "{error}");
            return assert_eq!(Violation::from(error).errno, Errno::EINVAL);
        }
    }
    let layout = plan.layout();
    assert_eq!((layout.domains(), layout.memory()), (nodes.as_slice(), memory.as_slice()));
    for (at, from) in nodes.iter().enumerate() {
        let vnode = layout.vnode(*from).expect("a vnode");
        assert_eq!((vnode.0 as usize, layout.domain(vnode)), (at, Some(*from)));
        assert_eq!(layout.pnode(*from), pnodes.get(at).copied());
        for to in &nodes {
            let other = layout.vnode(*to).expect("a vnode");
            assert_eq!(layout.distance(vnode, other), given(*from, *to));
        }
    }
    let ids = |plan: &GuestPlan<'_>| -> Vec<u32> {
        plan.processors().iter().map(|processor| processor.apic_id.0).collect()
    };
    let legacy: Vec<u32> = (0..).step_by(2).take(processors.len()).collect();
    assert_eq!(ids(&plan), legacy);
    match plan.derive_ids() {
        Ok(()) => {
            let derived = ids(&plan);
            let mut sorted = derived.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert!(sorted.len() == derived.len() && sorted.iter().all(|id| *id <= 254));
        }
        Err(error) => {
            assert!(matches!(error, Error::NoEncodingFits { .. }), "{error}");
            assert_eq!(ids(&plan), legacy, "wrote before it failed");
        }
    }
    assert!(plan.tables(Description::EMPTY).is_ok());
}
