//! dom0's gate: which condition failed, and with what.

use std::panic;
use std::prelude::rust_2024::*;

use crate::*;
use acpi_gen::{ApicId, Violation};

use crate::gate::GateInput;

fn gate(change: impl Fn(&mut GateInput)) -> Gate {
    let mut input = GateInput {
        pvh: true,
        pinned: true,
        vcpus: 6,
        pcpus: 6,
        nodes: 3,
        blocks: 3,
        uncovered_pages: 0,
        highest: Ok(ApicId(22)),
        partial: false,
    };
    change(&mut input);
    Gate::evaluate(&input)
}

/// The condition that does not hold, with its values, which the reason for C has, too.
fn unmet(change: impl Fn(&mut GateInput)) -> (&'static str, u64, u64) {
    let gate = gate(change);
    assert!(!gate.enabled());
    let mut unmet = gate.conditions().iter().filter(|condition| !condition.ok);
    let first = unmet.next().unwrap();
    assert_eq!(unmet.next(), None);
    let reasons: Vec<_> = gate.unmet().map(Violation::from).collect();
    match (first.name, &reasons[..]) {
        (ConditionName::IdsFit, []) => assert_eq!(first.value, 0),
        // Bounds of its own: at least one block, and none outside.
        (ConditionName::Blocks, [_]) if first.value <= first.bound => {}
        (_, [it]) => assert_eq!((it.value, it.index), (first.value, first.bound)),
        (_, other) => panic!("{other:x?}"),
    }
    (first.name.as_str(), first.value, first.bound)
}

#[test]
fn the_gate_says_which_condition_failed_and_with_what() {
    let open = gate(|_| ());
    assert!(open.enabled());
    let values: Vec<_> =
        open.conditions().iter().map(|c| (c.name.as_str(), c.value, c.bound)).collect();
    assert_eq!(
        values,
        [
            ("pvh", 1, 1),
            ("pinned", 1, 1),
            ("vcpus_cover_pcpus", 6, 6),
            ("nodes", 3, 2),
            ("blocks", 3, 170),
            ("ids_fit", 22, 254),
        ]
    );
    assert_eq!(unmet(|input| input.pvh = false), ("pvh", 0, 1));
    assert_eq!(unmet(|input| input.pinned = false), ("pinned", 0, 1));
    assert_eq!(unmet(|input| input.vcpus = 5), ("vcpus_cover_pcpus", 5, 6));
    assert_eq!(unmet(|input| input.nodes = 1), ("nodes", 1, 2));
    assert_eq!(unmet(|input| input.blocks = 0), ("blocks", 0, 170));
    assert_eq!(unmet(|input| input.blocks = 171), ("blocks", 171, 170));
    assert_eq!(unmet(|input| input.uncovered_pages = 7), ("blocks", 3, 170));
    let limit = ApicId(254);
    let no = Error::NoEncodingFits { vcpus: 128, max_per_node: 97, highest: 3968, limit };
    assert_eq!(unmet(|input| input.highest = Err(no)), ("ids_fit", 3968, 254));
    assert_eq!(unmet(|input| input.highest = Err(Error::NoVcpus)), ("ids_fit", 0, 254));
}

#[test]
fn fewer_vcpus_than_pcpus_are_taken_on_request() {
    let partial = |vcpus, pcpus| {
        gate(|input| {
            (input.vcpus, input.pcpus, input.partial) = (vcpus, pcpus, true);
        })
    };
    assert!(partial(128, 300).enabled(), "all that a guest can have of 300 pCPUs");
    assert!(partial(4, 6).enabled());
    assert!(!partial(7, 6).enabled(), "no pCPU for the seventh");
    assert!(!partial(0, 6).enabled());
    let unpinned = gate(|input| {
        (input.vcpus, input.partial, input.pinned) = (4, true, false);
    });
    assert!(!unpinned.enabled(), "without affinity a vCPU has no node");
}

#[test]
fn the_boot_log_has_a_line_for_each_condition() {
    let gate = gate(|input| (input.vcpus, input.uncovered_pages) = (5, 7));
    assert_eq!(
        gate.to_string(),
        "dom0 vNUMA: off\n  \
         pvh: ok\n  \
         pinned: ok\n  \
         vcpus_cover_pcpus: not met (5 vCPUs, 6 pCPUs)\n  \
         nodes: ok (3, at least 2 needed)\n  \
         blocks: not met (3, at most 170)\n  \
         ids_fit: ok (highest APIC id 22, limit 254)\n  \
         7 pages of RAM lie in no memory block\n"
    );
}
