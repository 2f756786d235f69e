//! The bodies of the hypercalls with any arguments, and guests' handles that fail
//! at any element.

use acpi_gen::{ApicId, Distance, Gpa, GpaRange, ProximityDomain};
use arbitrary::{Arbitrary, Unstructured};
use hv_glue::hypercall::{
    Errno, Fault, GuestInput, GuestOutput, INVALID_NUMA_ID, MAX_MFNS, MfnPxms, PxmMap, PxmRange,
    VnumaInfo, check_vnumainfo, get_mfn_pxms, get_vcpu_apicids,
};
use hv_glue::{
    Error, Frames, GuestNode, GuestRequest, Layout, MemoryBlock, NodeId, Pfn, VcpuId, Vmemrange,
    VnodeId, legacy_id,
};

use crate::host::{self, Block, Entry, LayoutBuffers};
use crate::machine::Pxm;
use crate::ranges::Size;
use crate::{Interest, encode};

/// Arguments of all calls.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Which call.
    pub call: u8,
    /// The hardware domain calls.
    pub hardware_domain: bool,
    /// The output handle is null.
    pub null: bool,
    /// Elements that the caller says there are.
    pub nr: u16,
    /// Must be 0.
    pub pad: u8,
    /// The element at which the guest's memory ends.
    pub fault_at: u16,
    /// The domain's vCPUs.
    pub max_vcpus: u16,
    /// Ids, frames or distances.
    pub words: Vec<u64>,
    /// Memory blocks or vmemranges.
    pub blocks: Vec<Block>,
    /// By node.
    pub node_to_pxm: Vec<Option<Pxm>>,
    /// Each vCPU's vnode.
    pub vcpu_to_vnode: Vec<u8>,
    /// The domain's memory map.
    pub map: Vec<Entry>,
    /// Where a guest has no RAM.
    pub hole: (Size, Size),
}

impl encode::Encode for (Size, Size) {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
        self.1.encode(to);
    }
}
encode::encode_fields!(Input {
    call,
    hardware_domain,
    null,
    nr,
    pad,
    fault_at,
    max_vcpus,
    words,
    blocks,
    node_to_pxm,
    vcpu_to_vnode,
    map,
    hole,
});

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    match input.call % 4 {
        0 => apic_ids(&input),
        1 => pxms(&input),
        2 => vnuma_info(&input),
        _ => guest_layout(&input),
    }
    Interest::Keep
}

/// A guest's memory that ends at an element.
struct Memory<'a> {
    null: bool,
    end: u32,
    words: &'a [u64],
    written: Vec<u32>,
}

impl<'a> Memory<'a> {
    fn of(input: &'a Input) -> Self {
        let end = input.fault_at.into();
        Self { null: input.null, end, words: &input.words, written: Vec::new() }
    }
}

impl GuestInput<u64> for Memory<'_> {
    fn read(&mut self, index: u32) -> Result<u64, Fault> {
        if index >= self.end {
            return Err(Fault);
        }
        Ok(self.words.get(index as usize).copied().unwrap_or(index.into()))
    }
}

impl GuestOutput<u32> for Memory<'_> {
    fn is_null(&self) -> bool {
        self.null
    }

    fn write(&mut self, index: u32, value: u32) -> Result<(), Fault> {
        assert!(!self.null, "wrote through a null handle");
        assert_eq!(index as usize, self.written.len(), "not in order");
        if index >= self.end {
            return Err(Fault);
        }
        self.written.push(value);
        Ok(())
    }
}

fn apic_ids(input: &Input) {
    let ids: Vec<_> = input.words.iter().map(|word| ApicId(*word as u32)).collect();
    let (max, nr) = (u32::from(input.max_vcpus % 2048), u32::from(input.nr));
    let mut memory = Memory::of(input);
    let answer = get_vcpu_apicids(&ids, max, nr, &mut memory);
    let expected = |vcpu: u32| ids.get(vcpu as usize).copied().unwrap_or(legacy_id(VcpuId(vcpu))).0;
    assert!(memory.written.iter().copied().eq((0..).map(expected).take(memory.written.len())));
    let written = memory.written.len() as u32;
    let (result, filled, wrote) = match () {
        () if input.null || nr == 0 => (Ok(()), max, 0),
        () if nr < max => (Err(Errno::ENOBUFS), max, 0),
        () if memory.end < max => (Err(Errno::EFAULT), memory.end, memory.end),
        () => (Ok(()), max, max),
    };
    assert_eq!((answer.result, answer.nr_filled, written), (result, filled, wrote));
}

fn pxms(input: &Input) {
    let blocks: Vec<MemoryBlock> = host::blocks(&input.blocks);
    let node_to_pxm: Vec<_> = input.node_to_pxm.iter().map(|pxm| pxm.map(Pxm::get)).collect();
    let mut ranges = vec![PxmRange::UNUSED; blocks.len()];
    let map = match PxmMap::new(blocks.as_slice(), &node_to_pxm, &mut ranges) {
        Ok(map) => map,
        Err(error) => {
            let unknown =
                |node: NodeId| node_to_pxm.get(node.0 as usize).copied().flatten().is_none();
            return match error {
                Error::NodeWithoutDomain { node } => assert!(unknown(node)),
                Error::FramesNotAscending { start, previous_end, .. } => {
                    assert!(start < previous_end)
                }
                other => panic!("{other}"),
            };
        }
    };
    let arguments = MfnPxms {
        hardware_domain: input.hardware_domain,
        nr: input.nr.into(),
        pad: input.pad.into(),
    };
    let mut mfns = Memory::of(input);
    let mut memory = Memory { null: false, ..Memory::of(input) };
    let result = get_mfn_pxms(&map, arguments, &mut mfns, &mut memory);
    let domain = |mfn: u64| -> u32 {
        let frames = |block: &&MemoryBlock| {
            let frames = Frames::inside(block.range);
            frames.start <= Pfn(mfn) && Pfn(mfn) < frames.end
        };
        let block = blocks.iter().find(frames);
        block.map_or(INVALID_NUMA_ID, |b| {
            node_to_pxm[b.node.0 as usize].map_or(0, |d: ProximityDomain| d.0)
        })
    };
    let asked = (0..).map(|at| mfns.words.get(at).copied().unwrap_or(at as u64)).map(domain);
    assert!(memory.written.iter().copied().eq(asked.take(memory.written.len())));
    let expected = match () {
        () if !arguments.hardware_domain => Err(Errno::EPERM),
        () if arguments.pad != 0 => Err(Errno::EINVAL),
        () if arguments.nr > MAX_MFNS => Err(Errno::E2BIG),
        () if arguments.nr > memory.end => Err(Errno::EFAULT),
        () => Ok(()),
    };
    assert_eq!(result, expected);
    let wrote = match expected {
        Ok(()) => arguments.nr,
        Err(Errno::EFAULT) => memory.end,
        Err(_) => 0,
    };
    assert_eq!(memory.written.len() as u32, wrote);
}

fn vnuma_info(input: &Input) {
    let distances: Vec<_> = input.words.iter().map(|word| *word as u32).collect();
    let vcpu_to_vnode: Vec<_> = input.vcpu_to_vnode.iter().map(|v| VnodeId((*v).into())).collect();
    let ranges: Vec<_> = host::blocks(&input.blocks)
        .into_iter()
        .map(|block| Vmemrange { range: block.range, vnode: VnodeId(block.node.0), hotplug: false })
        .collect();
    let map = host::map(&input.map);
    let info = VnumaInfo {
        vnodes: input.nr.into(),
        distances: &distances,
        vcpu_to_vnode: &vcpu_to_vnode,
        ranges: &ranges,
    };
    let result = check_vnumainfo(&info, (!map.is_empty()).then_some(map.as_slice()));
    let side = usize::from(input.nr);
    let square = distances.len() == side * side;
    let valid = square
        && distances
            .iter()
            .enumerate()
            .all(|(at, d)| if at / side == at % side { *d == 10 } else { *d > 10 })
        && vcpu_to_vnode.iter().all(|vnode| (vnode.0 as usize) < side)
        && ranges.iter().all(|range| {
            let aligned = |gpa: Gpa| gpa.0.is_multiple_of(4096);
            (range.vnode.0 as usize) < side
                && aligned(range.range.start())
                && aligned(range.range.end())
        })
        && ranges.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start())
        && map.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start());
    match result {
        Ok(()) => assert!(valid),
        Err(Error::RamNotCovered { uncovered, total, .. }) => {
            assert!(valid && uncovered > 0 && uncovered <= total);
        }
        Err(error) => {
            assert!(!valid, "{error}");
            assert_eq!(error.errno(), Errno::EINVAL);
        }
    }
}

/// A toolstack's request: node after node from address 0, around the hole.
fn guest_layout(input: &Input) {
    let Some(hole) = host::ranges(&[input.hole]).first().copied() else { return };
    let nodes: Vec<_> = input
        .blocks
        .iter()
        .map(|block| GuestNode {
            memory: block.size.bytes(),
            pnode: Some(NodeId(block.node.into())),
        })
        .collect();
    let vcpu_to_vnode: Vec<_> = input.vcpu_to_vnode.iter().map(|v| VnodeId((*v).into())).collect();
    let distances: Vec<_> =
        input.words.iter().map(|word| Distance::clamped(*word as u32)).collect();
    let request =
        GuestRequest { nodes: &nodes, vcpu_to_vnode: &vcpu_to_vnode, distances: &distances, hole };
    let mut buffers = LayoutBuffers::new(request.layout_size());
    let layout = match Layout::for_guest(&request, buffers.lend()) {
        Ok(layout) => layout,
        Err(error) => return assert!(!matches!(error, Error::OutputTooSmall { .. }), "{error}"),
    };
    let mut end = 0;
    for range in layout.ranges() {
        let GpaRange { .. } = range.range;
        assert!(!range.range.overlaps(hole));
        let gap = end..range.range.start().0;
        assert!(
            gap.is_empty()
                || gap == (hole.start().0.min(end)..hole.end().0)
                || gap.end == hole.end().0
        );
        end = range.range.end().0;
    }
    for (vnode, node) in (0..).map(VnodeId).zip(&nodes) {
        let of = layout.ranges().iter().filter(|range| range.vnode == vnode);
        assert_eq!(of.map(|range| range.range.size()).sum::<u64>(), node.memory);
    }
    assert_eq!(layout.vcpu_to_vnode(), vcpu_to_vnode);
    if !distances.is_empty() {
        assert_eq!(layout.distances(), distances);
    }
    for (from, to) in [(0, 1), (1, 0), (7, 7)] {
        let distance = layout.distance(VnodeId(from), VnodeId(to));
        assert!(distance == Distance::LOCAL || from != to || from as usize >= nodes.len());
    }
}
