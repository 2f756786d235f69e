//! The plan for machines.

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

pub(super) fn render(host: &HostFile, plan: &Plan, image: &TableImage) -> String {
    let slit = image.slit();
    let vcpus = (0..).zip(&plan.vcpus).map(|(vcpu, of)| Vcpu {
        vcpu,
        pcpu: of.pcpu,
        apic_id: of.apic_id.0,
        pxm: of.domain.map(|domain| domain.0),
        pnode: of.pnode.map(|node| node.0),
    });
    let ranges = plan.vmemranges.iter().map(|range| Range {
        start: range.range.start().0,
        end: range.range.end().0,
        pxm: range.domain.0,
        pnode: range.pnode.0,
        hotplug: range.hotplug,
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
        gate: gate(plan),
        nr_pages: host.nr_pages,
        vcpus: vcpus.collect(),
        vmemranges: ranges.collect(),
        e820: entries.collect(),
        allocations: allocations.collect(),
        slit: slit.map(|slit| slit.rows().collect()).unwrap_or_default(),
    })
}

fn gate(plan: &Plan) -> Gate {
    let conditions = plan.gate.conditions().iter().map(|condition| Condition {
        name: condition.name.as_str(),
        ok: condition.ok,
        value: match condition.name {
            ConditionName::Pvh | ConditionName::Pinned => Value::Is(condition.ok),
            _ => Value::Count(condition.value),
        },
    });
    Gate { enabled: plan.gate.enabled(), conditions: conditions.collect() }
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
