//! The C interface with hostile arguments: null, misaligned and overlapping
//! pointers, structures of another size or version, numbers out of range, scratch
//! memory too short by any amount. Whatever comes: a status and a reason, no byte
//! outside of the arguments, and outputs as they were after a failure.

mod guest;
mod plan;

use arbitrary::{Arbitrary, Unstructured};
use hv_glue::e820::E820Entry;
use hvg::types::*;
use hvg::*;

use crate::Interest;
use crate::arguments::{Arguments, Form, read};
use crate::encode::{Encode, encode_fields};
use crate::host::{Host, HostParts};
use crate::machine::Machine;

/// A call and its arguments.
#[derive(Arbitrary, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Which call.
    pub call: u8,
    /// The form of each argument, in order.
    pub how: Vec<Form>,
    /// Added to every structure's size, and to its version.
    pub header: (u8, u8),
    /// Scratch memory beyond what is asked for; the high half is negative.
    pub slack: u8,
    /// Flags of the request, the tables or the shape.
    pub flags: u8,
    /// Lengths and other numbers.
    pub numbers: [u8; 8],
    /// 32-bit arguments.
    pub words: Vec<u32>,
    /// For the plan of a guest and for the tables.
    pub machine: Machine,
    /// For the plan of a dom0.
    pub host: Host,
}

impl Encode for (u8, u8) {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
        self.1.encode(to);
    }
}
encode_fields!(Input { call, how, header, slack, flags, numbers, words, machine, host });

/// The most memory for a plan.
const MAX_WORK: u64 = 1 << 20;
const POISON: u8 = 0xA5;

/// Runs the target.
pub fn run(data: &[u8]) -> Interest {
    let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) else { return Interest::Reject };
    match input.call % 4 {
        0 => apic_ids(&input),
        1 => guest::run(&input),
        2 => plan::run(&input),
        _ => frames_and_leaves(&input),
    }
    Interest::Keep
}

impl Input {
    fn size<T>(&self) -> u32 {
        size_of::<T>() as u32 + u32::from(self.header.0)
    }

    fn version(&self) -> u32 {
        HVG_VERSION + u32::from(self.header.1)
    }

    fn work(&self, needed: u64) -> Vec<u8> {
        let len =
            needed.min(MAX_WORK).saturating_add_signed(i8::from_le_bytes([self.slack]).into());
        vec![POISON; len as usize]
    }

    fn error(&self) -> HvgError {
        let (size, version) = (self.size::<HvgError>(), self.version());
        HvgError { size, version, what: 0, reserved: 0, index: 0, value: 0 }
    }

    fn shape(&self) -> HvgShape {
        HvgShape {
            size: self.size::<HvgShape>(),
            version: self.version(),
            numbering: self.numbers[0].into(),
            stride: self.numbers[1].into(),
            pkg_shift: self.numbers[2].into(),
            max_per_node: self.numbers[3].into(),
            highest: 0,
            reserved: 0,
        }
    }
}

/// What holds of every call: a status of Xen's, and a reason for each failure.
fn check(arguments: &Arguments<'_>, status: i32, error: *const HvgError) {
    assert!(matches!(status, 0 | 1 | -1 | -7 | -12 | -22 | -34 | -105), "status {status}");
    if !arguments.wrong {
        // SAFETY: every argument is right.
        let error = unsafe { read(error, 1) }[0];
        let taken = error.size == size_of::<HvgError>() as u32 && error.version == HVG_VERSION;
        assert!(status >= 0 || !taken || error.what != 0, "a failure without a reason");
        assert_ne!(error.what, 0xFF, "a rule without a number");
        let mut text = [0_i8; 256];
        // SAFETY: a structure and an array of this function's own.
        let len = unsafe { hvg_strerror(&error, text.as_mut_ptr(), text.len() as u32) };
        assert!(if taken { (1..256).contains(&len) } else { len == -22 }, "message of {len} bytes");
    }
}

fn apic_ids(input: &Input) {
    let vcpus: Vec<u32> = input.host.cpus.iter().map(|vnode| (*vnode).into()).collect();
    let poison = vec![0xA5A5_A5A5_u32; vcpus.len()];
    let mut arguments = Arguments::new(&input.how);
    let error = arguments.value(input.error());
    let (of_vcpus, ids) = (arguments.array(&vcpus), arguments.array(&poison));
    let shape = arguments.value(input.shape());
    let vnodes = input.words.first().copied().unwrap_or(32);
    // SAFETY: every pointer is null, refused before it is followed, or points at
    // as many initialised elements as are said.
    let status = unsafe { hvg_apic_ids(of_vcpus, vcpus.len() as u32, vnodes, ids, shape, error) };
    check(&arguments, status, error);
    if !arguments.wrong {
        // SAFETY: every argument is right.
        let written = unsafe { read(ids, poison.len()) };
        assert!(status == 0 || written == poison, "wrote before it failed");
        assert!(status != 0 || written.iter().all(|id| *id <= 254));
    }
}

fn memory_map(parts: &HostParts) -> Vec<HvgE820> {
    let entry = |e: &E820Entry| HvgE820 {
        start: e.range.start().0,
        end: e.range.end().0,
        kind: e.kind.0,
        reserved: 0,
    };
    parts.map.iter().map(entry).collect()
}

/// The host's arrays as arguments.
fn host(input: &Input, arguments: &mut Arguments<'_>) -> HvgHost {
    let parts = input.host.parts();
    let blocks: Vec<_> = parts
        .blocks
        .iter()
        .map(|b| HvgBlock {
            start: b.range.start().0,
            end: b.range.end().0,
            node: b.node.0,
            flags: u32::from(b.hotplug),
        })
        .collect();
    let map = memory_map(&parts);
    let pcpus: Vec<u32> = parts.cpus.iter().map(|cpu| cpu.pcpu.0).collect();
    let nodes: Vec<u32> = parts.cpus.iter().map(|cpu| cpu.node.0).collect();
    let pxms: Vec<u32> = parts.node_to_pxm.iter().map(|p| p.map_or(HVG_NONE, |p| p.0)).collect();
    let mut distances = parts.distances;
    distances.resize(pxms.len() * pxms.len(), 20);
    HvgHost {
        size: input.size::<HvgHost>(),
        version: input.version(),
        blocks: arguments.array(&blocks),
        e820: arguments.array(&map),
        pcpus: arguments.array(&pcpus),
        pcpu_node: arguments.array(&nodes),
        node_pxm: arguments.array(&pxms),
        distances: if input.numbers[0] == 0 {
            std::ptr::null()
        } else {
            arguments.array(&distances)
        },
        nr_blocks: blocks.len() as u32,
        nr_e820: map.len() as u32,
        nr_pcpus: pcpus.len() as u32,
        nr_nodes: pxms.len() as u32,
    }
}

fn frames_and_leaves(input: &Input) {
    let ranges: Vec<_> = input
        .words
        .chunks_exact(3)
        .map(|w| HvgPxmRange { start: w[0].into(), end: w[1].into(), pxm: w[2] })
        .collect();
    let nr = u32::from(input.numbers[0]) << (input.numbers[1] % 8);
    let mfns: Vec<u64> = (0..u64::from(nr.min(HVG_MFN_PXMS_MAX))).collect();
    let mut arguments = Arguments::new(&input.how);
    let error = arguments.value(input.error());
    let (ranges_at, mfns_at) = (arguments.array(&ranges), arguments.array(&mfns));
    let pxms = arguments.array(&vec![0xA5A5_A5A5_u32; mfns.len()]);
    let (hardware, pad) = (u32::from(input.flags & 1), u32::from(input.numbers[2]));
    // SAFETY: as in `apic_ids`.
    let status = unsafe {
        hvg_mfn_pxms(ranges_at, ranges.len() as u32, hardware, nr, pad, mfns_at, pxms, error)
    };
    check(&arguments, status, error);

    let mut arguments = Arguments::new(&input.how);
    let error = arguments.value(input.error());
    let ranges_at = arguments.array(&ranges);
    // SAFETY: as in `apic_ids`.
    let left = unsafe { hvg_merge_pxm_ranges(ranges_at, ranges.len() as u32, error) };
    check(&arguments, left.min(0), error);
    assert!(left <= ranges.len() as i32);

    let mut arguments = Arguments::new(&input.how);
    let error = arguments.value(input.error());
    let leaves = [HvgLeaf::default(); 5];
    let cpuid = HvgCpuid {
        size: input.size::<HvgCpuid>(),
        version: input.version(),
        leaf_1: arguments.value(leaves[0]),
        leaf_4: arguments.array(&leaves[..usize::from(input.numbers[4] % 6)]),
        leaf_b: arguments.array(&leaves[..usize::from(input.numbers[5] % 6)]),
        leaf_80000008: arguments.value(leaves[0]),
        nr_leaf_4: (input.numbers[4] % 6).into(),
        nr_leaf_b: (input.numbers[5] % 6).into(),
        vendor: input.numbers[6].into(),
        reserved: 0,
    };
    let cpuid = arguments.value(cpuid);
    let shape = arguments.value(input.shape());
    // SAFETY: as in `apic_ids`.
    let status = unsafe { hvg_cpuid_patch(cpuid, shape, error) };
    check(&arguments, status, error);
}
