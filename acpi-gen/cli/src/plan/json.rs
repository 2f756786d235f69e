//! The plan as JSON.

use hv_glue::ConditionName;
use hv_glue::e820::E820Type;
use serde::Serialize;

use super::dom0::Plan;
use crate::host_file::HostFile;
use crate::output::{self, Vcpu};
use crate::table_image::TableImage;

#[derive(Serialize)]
struct Json<'a> {
    gate: Gate,
    nr_pages: u64,
    vcpus: Vec<Vcpu>,
    vmemranges: Vec<Range>,
    e820: Vec<Entry>,
    allocations: Vec<Allocations>,
    slit: Vec<&'a [u8]>,
}

#[derive(Serialize)]
struct Gate {
    enabled: bool,
    conditions: Vec<Condition>,
}

#[derive(Serialize)]
struct Condition {
    name: &'static str,
    ok: bool,
    value: Value,
}

/// A yes or no, or a count.
#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Is(bool),
    Count(u64),
}

#[derive(Serialize)]
struct Range {
    start: u64,
    end: u64,
    pxm: u32,
    pnode: u32,
    hotplug: bool,
}

#[derive(Serialize)]
struct Entry {
    start: u64,
    end: u64,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Allocations {
    pnode: u32,
    order: u8,
    count: u64,
    fallback: bool,
}

pub(super) fn render(host: &HostFile, plan: &Plan<'_>, image: &TableImage) -> String {
    let (dom0, slit) = (&plan.dom0, image.slit());
    let layout = dom0.layout();
    let vcpus = dom0.processors().iter().enumerate().map(|(at, of)| {
        let cpu = host.cpus.get(at).filter(|_| host.pinned);
        Vcpu {
            vcpu: of.uid.0,
            pcpu: cpu.map(|cpu| cpu.pcpu.0),
            apic_id: of.apic_id.0,
            pxm: of.domain.map(|domain| domain.0),
            pnode: cpu.map(|cpu| cpu.node.0),
        }
    });
    let ranges = layout.into_iter().flat_map(|layout| {
        layout.memory().iter().map(|memory| Range {
            start: memory.range.start().0,
            end: memory.range.end().0,
            pxm: memory.domain.0,
            pnode: layout.pnode(memory.domain).map_or(0, |node| node.0),
            hotplug: memory.hot_pluggable,
        })
    });
    let entries = plan.e820.iter().map(|entry| Entry {
        start: entry.range.start().0,
        end: entry.range.end().0,
        kind: kind(entry.kind),
    });
    let allocations = plan.allocations.iter().map(|(kind, &count)| Allocations {
        pnode: kind.pnode.0,
        order: kind.order.0,
        count,
        fallback: kind.fallback,
    });
    output::json(&Json {
        gate: gate(dom0.gate()),
        nr_pages: host.nr_pages,
        vcpus: vcpus.collect(),
        vmemranges: ranges.collect(),
        e820: entries.collect(),
        allocations: allocations.collect(),
        slit: slit.map(|slit| slit.rows().collect()).unwrap_or_default(),
    })
}

fn gate(gate: &hv_glue::Gate) -> Gate {
    let conditions = gate.conditions().iter().map(|condition| Condition {
        name: condition.name.as_str(),
        ok: condition.ok,
        value: match condition.name {
            ConditionName::Pvh | ConditionName::Pinned => Value::Is(condition.ok),
            _ => Value::Count(condition.value),
        },
    });
    Gate { enabled: gate.enabled(), conditions: conditions.collect() }
}

/// A type as the host file has it.
pub(super) fn kind(kind: E820Type) -> &'static str {
    match kind {
        E820Type::RAM => "ram",
        E820Type::ACPI => "acpi",
        E820Type::NVS => "nvs",
        E820Type::UNUSABLE => "unusable",
        _ => "reserved",
    }
}
