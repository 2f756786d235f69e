//! Whether dom0 gets vNUMA, and what each condition found.

use core::fmt;

use acpi_gen::ApicId;

use crate::layout::{MAX_RANGES, MAX_VNODES};
use crate::units::count;
use crate::{APIC_ID_LIMIT, Error};

/// What the gate looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GateInput {
    /// dom0 is PVH: the only mode whose tables we generate.
    pub(crate) pvh: bool,
    /// Each vCPU has hard affinity to one pCPU.
    pub(crate) pinned: bool,
    /// dom0's vCPUs.
    pub(crate) vcpus: u32,
    /// pCPUs that the vCPUs are to cover.
    pub(crate) pcpus: u32,
    /// Nodes with memory blocks or with pCPUs that have vCPUs.
    pub(crate) nodes: u32,
    /// Memory blocks.
    pub(crate) blocks: u32,
    /// 4 KiB pages of RAM in no memory block.
    pub(crate) uncovered_pages: u64,
    /// The highest id, or why there are no ids.
    pub(crate) highest: Result<ApicId, Error>,
    /// Fewer vCPUs than pCPUs are accepted, too.
    pub(crate) partial: bool,
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
    /// The name in logs and in JSON.
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
    /// The bound: 1, 1, pCPUs, 2 nodes (or the most nodes, where there are more), the most
    /// blocks, the highest usable id. For `blocks` with RAM outside them, see
    /// [`Gate::uncovered_pages`].
    pub bound: u64,
}

/// The gate's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    conditions: [Condition; 6],
    uncovered_pages: u64,
}

impl Gate {
    /// No answer yet: no condition holds.
    pub(crate) const EMPTY: Self = Self {
        conditions: [Condition { name: ConditionName::Pvh, ok: false, value: 0, bound: 0 }; 6],
        uncovered_pages: 0,
    };

    /// Checks every condition, also where an earlier one fails.
    pub(crate) fn evaluate(input: &GateInput) -> Self {
        let covers =
            if input.partial { input.vcpus <= input.pcpus } else { input.vcpus == input.pcpus };
        let highest = match input.highest {
            Ok(highest) => u64::from(highest.0),
            Err(
                Error::NoEncodingFits { highest, .. } | Error::ApicIdAboveLimit { id: highest, .. },
            ) => highest,
            Err(_) => 0,
        };
        let (max_nodes, max_blocks) = (count(MAX_VNODES), count(MAX_RANGES));
        let condition = |name, ok, value: u64, bound: u32| {
            let bound = u64::from(bound);
            Condition { name, ok, value, bound }
        };
        let (vcpus, pcpus) = (u64::from(input.vcpus), input.pcpus);
        let blocks_ok = (1..=max_blocks).contains(&input.blocks) && input.uncovered_pages == 0;
        Self {
            conditions: [
                condition(ConditionName::Pvh, input.pvh, u64::from(input.pvh), 1),
                condition(ConditionName::Pinned, input.pinned, u64::from(input.pinned), 1),
                condition(ConditionName::VcpusCoverPcpus, covers && vcpus > 0, vcpus, pcpus),
                condition(
                    ConditionName::Nodes,
                    (2..=max_nodes).contains(&input.nodes),
                    u64::from(input.nodes),
                    if input.nodes > max_nodes { max_nodes } else { 2 },
                ),
                condition(ConditionName::Blocks, blocks_ok, u64::from(input.blocks), max_blocks),
                condition(ConditionName::IdsFit, input.highest.is_ok(), highest, APIC_ID_LIMIT.0),
            ],
            uncovered_pages: input.uncovered_pages,
        }
    }

    /// Whether every condition holds.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.conditions.iter().all(|condition| condition.ok)
    }

    /// Why dom0 gets no vNUMA: a rule for each condition that does not hold. Ids without a
    /// layout are left out, as the reason is another one.
    pub(crate) fn unmet(&self) -> impl Iterator<Item = Error> + '_ {
        self.conditions.iter().filter(|condition| !condition.ok).filter_map(|condition| {
            let Condition { name, value, bound, .. } = *condition;
            let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
            let (found, max) = (narrow(value), narrow(bound));
            Some(match name {
                ConditionName::Pvh => Error::NotPvh,
                ConditionName::Pinned => Error::NotPinned,
                ConditionName::VcpusCoverPcpus if value > bound => {
                    Error::TooManyVcpus { vcpus: found, pcpus: max }
                }
                ConditionName::VcpusCoverPcpus => Error::TooFewVcpus { vcpus: value, pcpus: bound },
                ConditionName::Nodes if value > bound => {
                    Error::TooManyVnodes { needed: found, max }
                }
                ConditionName::Nodes => Error::TooFewNodes { nodes: value },
                ConditionName::Blocks if self.uncovered_pages > 0 => {
                    Error::RamOutsideBlocks { pages: self.uncovered_pages }
                }
                ConditionName::Blocks if value > bound => {
                    Error::TooManyRanges { ranges: found, max }
                }
                ConditionName::Blocks => Error::NoBlocks,
                ConditionName::IdsFit if value == 0 => return None,
                ConditionName::IdsFit => {
                    let (vnode, limit) = (crate::VnodeId(0), APIC_ID_LIMIT);
                    Error::ApicIdAboveLimit { vnode, id: value, limit }
                }
            })
        })
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
