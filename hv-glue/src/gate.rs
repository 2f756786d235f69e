//! Whether dom0 gets vNUMA, and what each condition found.

use core::fmt;

use acpi_gen::ApicId;

use crate::{ApicIds, Error};

/// What the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// dom0 is PVH: the only mode whose tables are ours.
    pub pvh: bool,
    /// Each vCPU has hard affinity to one pCPU (`dom0_vcpus_pin`). Not so where
    /// the scheduler moves CPUs in groups (`sched-gran` above one CPU).
    pub pinned: bool,
    /// dom0's vCPUs.
    pub vcpus: u32,
    /// Valid pCPUs in dom0's pool.
    pub pcpus: u32,
    /// Nodes with memory blocks or with pCPUs that vCPUs sit on.
    pub nodes: u32,
    /// Memory blocks; none with `numa=fake`, whose nodes are no firmware's.
    pub blocks: u32,
    /// The most nodes that the hypervisor's vNUMA layout holds.
    pub max_nodes: u32,
    /// The most blocks that the hypervisor's vNUMA layout holds.
    pub max_blocks: u32,
    /// 4 KiB pages of RAM that lie in no memory block.
    pub uncovered_pages: u64,
    /// The ids, or why there are none.
    pub ids: Result<ApicIds<'a>, Error>,
    /// Which vCPU counts are taken.
    pub coverage: Coverage,
}

/// Which vCPU counts the gate takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Exactly one vCPU for each pCPU, as in the seed.
    Full,
    /// Also fewer vCPUs than pCPUs: asked for, or all that a guest can have on
    /// a host with more pCPUs. vCPU n still sits on the n-th valid pCPU.
    Partial,
}

/// One condition of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionName {
    /// dom0 is PVH.
    Pvh,
    /// vCPUs are pinned 1:1.
    Pinned,
    /// vCPUs against pCPUs.
    VcpusCoverPcpus,
    /// More than one node, and not too many.
    Nodes,
    /// Memory blocks are there, not too many, and cover RAM.
    Blocks,
    /// An APIC id encoding fits.
    IdsFit,
}

impl ConditionName {
    /// The name as it stands in logs and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pvh => "pvh",
            Self::Pinned => "pinned",
            Self::VcpusCoverPcpus => "vcpus_cover_pcpus",
            Self::Nodes => "nodes",
            Self::Blocks => "blocks",
            Self::IdsFit => "ids_fit",
        }
    }
}

/// What a condition found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which one.
    pub name: ConditionName,
    /// Whether it holds.
    pub ok: bool,
    /// What it found: 0 or 1 for `pvh` and `pinned`; vCPUs, nodes and blocks;
    /// for `ids_fit` the highest id, or the lowest highest id of all encodings.
    pub value: u64,
    /// What it was held against: 1, 1, pCPUs, 2 nodes (or the most nodes, where
    /// there are more), the most blocks, the highest usable id. For `blocks` with RAM outside them, see [`Gate::uncovered_pages`].
    pub bound: u64,
}

/// The gate's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    conditions: [Condition; 6],
    uncovered_pages: u64,
}

impl Gate {
    /// Looks at every condition, also where an earlier one fails.
    #[must_use]
    pub fn evaluate(input: &GateInput<'_>, limit: ApicId) -> Self {
        let covers = match input.coverage {
            Coverage::Full => input.vcpus == input.pcpus,
            Coverage::Partial => input.vcpus <= input.pcpus,
        };
        let highest = match input.ids {
            Ok(ids) => Some(u64::from(ids.highest().0)),
            Err(
                Error::NoEncodingFits { highest, .. } | Error::ApicIdAboveLimit { id: highest, .. },
            ) => Some(highest),
            Err(_) => None,
        };
        let condition = |name, ok, value: u64, bound: u64| Condition { name, ok, value, bound };
        let (vcpus, pcpus) = (u64::from(input.vcpus), u64::from(input.pcpus));
        let blocks_ok =
            (1..=input.max_blocks).contains(&input.blocks) && input.uncovered_pages == 0;
        Self {
            conditions: [
                condition(ConditionName::Pvh, input.pvh, u64::from(input.pvh), 1),
                condition(ConditionName::Pinned, input.pinned, u64::from(input.pinned), 1),
                condition(ConditionName::VcpusCoverPcpus, covers && vcpus > 0, vcpus, pcpus),
                condition(
                    ConditionName::Nodes,
                    (2..=input.max_nodes).contains(&input.nodes),
                    u64::from(input.nodes),
                    if input.nodes > input.max_nodes { u64::from(input.max_nodes) } else { 2 },
                ),
                condition(
                    ConditionName::Blocks,
                    blocks_ok,
                    u64::from(input.blocks),
                    u64::from(input.max_blocks),
                ),
                condition(
                    ConditionName::IdsFit,
                    input.ids.is_ok(),
                    highest.unwrap_or(0),
                    u64::from(limit.0),
                ),
            ],
            uncovered_pages: input.uncovered_pages,
        }
    }

    /// Whether every condition holds.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.conditions.iter().all(|condition| condition.ok)
    }

    /// Each condition, in the order of the names above.
    #[must_use]
    pub const fn conditions(&self) -> &[Condition; 6] {
        &self.conditions
    }

    /// Pages of RAM in no memory block.
    #[must_use]
    pub const fn uncovered_pages(&self) -> u64 {
        self.uncovered_pages
    }
}

/// One line for the boot log.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, ok, value, bound } = *self;
        let verdict = if ok { "ok" } else { "not met" };
        let name = name.as_str();
        match self.name {
            ConditionName::Pvh | ConditionName::Pinned => write!(f, "{name}: {verdict}"),
            ConditionName::VcpusCoverPcpus => {
                write!(f, "{name}: {verdict} ({value} vCPUs, {bound} pCPUs)")
            }
            ConditionName::Nodes => {
                let word = if value > bound && !ok { "at most" } else { "at least" };
                write!(f, "{name}: {verdict} ({value}, {word} {bound} needed)")
            }
            ConditionName::Blocks => write!(f, "{name}: {verdict} ({value}, at most {bound})"),
            // Without a layout there is nobody to give an id to.
            ConditionName::IdsFit if !ok && value == 0 => {
                write!(f, "{name}: {verdict} (no layout, limit {bound})")
            }
            ConditionName::IdsFit => {
                write!(f, "{name}: {verdict} (highest APIC id {value}, limit {bound})")
            }
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "dom0 vNUMA: {}", if self.enabled() { "enabled" } else { "off" })?;
        for condition in &self.conditions {
            writeln!(f, "  {condition}")?;
        }
        if self.uncovered_pages > 0 {
            writeln!(f, "  {} pages of RAM lie in no memory block", self.uncovered_pages)?;
        }
        Ok(())
    }
}
