//! APIC ids: as a hypervisor gives them, or as the file lists them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use acpi_gen::{ApicId, Processor, ProximityDomain};
use hv_glue::{ApicIds, Numbering, Placement, Scheme, VnodeId};
use toml::Spanned;

use super::nodes::NodePlace;
use super::schema::{Apic, Encoding, Stride};
use crate::FileError;
use crate::number::Number;
use crate::source::{Source, Span};

/// The highest id that a type 9 entry holds: the one above means "ignore".
const HIGHEST_ID: ApicId = ApicId(u32::MAX - 1);

/// How the ids came about, for the person who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdScheme {
    /// The proximity domain in the high bits.
    Package {
        /// 1 or 2.
        stride: u32,
    },
    /// 2 * vCPU.
    Legacy,
    /// As the file lists them.
    Explicit,
}

/// Gives the processors their ids. Explicit ones become the place that errors name.
pub(super) fn assign(
    source: &Source,
    apic: &Apic,
    nodes: &[NodePlace],
    processors: &mut [Processor],
    spans: &mut [Span],
    explicit: &[&Spanned<Number>],
) -> Result<IdScheme, FileError> {
    if let (Some(stride), Encoding::Legacy | Encoding::Explicit) = (&apic.stride, apic.encoding) {
        let what = "stride belongs to encoding = \"package\": leave it out here";
        return Err(source.fail(&stride.span(), what));
    }
    let (ids, scheme) = match apic.encoding {
        Encoding::Package | Encoding::Legacy => hypervisor_ids(source, apic, processors, nodes)?,
        Encoding::Explicit => {
            for (span, id) in spans.iter_mut().zip(explicit) {
                *span = id.span();
            }
            let ids: Result<Vec<ApicId>, FileError> =
                explicit.iter().map(|id| source.narrow("APIC id", id).map(ApicId)).collect();
            (ids?, IdScheme::Explicit)
        }
    };
    for (processor, id) in processors.iter_mut().zip(ids) {
        processor.apic_id = id;
    }
    Ok(scheme)
}

/// The ids that a hypervisor gives, each node a vnode.
fn hypervisor_ids(
    source: &Source,
    apic: &Apic,
    processors: &[Processor],
    nodes: &[NodePlace],
) -> Result<(Vec<ApicId>, IdScheme), FileError> {
    if processors.is_empty() {
        // The library says so with the rest of its rules.
        return Ok((Vec::new(), IdScheme::Legacy));
    }
    let package = |stride| Scheme::Package(Numbering::Domain, stride);
    let scheme = match (apic.encoding, apic.stride.as_ref().map(|stride| *stride.get_ref())) {
        (Encoding::Legacy, _) => Scheme::Legacy,
        (_, None | Some(Stride::Auto)) => Scheme::Auto,
        (_, Some(Stride::One)) => package(hv_glue::Stride::One),
        (_, Some(Stride::Two)) => package(hv_glue::Stride::Two),
    };
    let vnodes: BTreeMap<ProximityDomain, VnodeId> =
        nodes.iter().map(|node| node.domain).zip((0..).map(VnodeId)).collect();
    let vcpu_to_vnode: Vec<VnodeId> =
        processors.iter().filter_map(|processor| vnodes.get(&processor.domain?).copied()).collect();
    let domains: Vec<_> = nodes.iter().map(|node| Some(node.domain)).collect();
    let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
    let mut ids = vec![ApicId(0); processors.len()];
    let mut scratch = vec![0; domains.len()];
    let shape = ApicIds::assign(placement, scheme, HIGHEST_ID, &mut scratch, &mut ids)
        .map(|ids| ids.shape())
        // None passes it within a file's bounds of domains and vCPUs.
        .map_err(|error| source.fail(&(0..0), error.to_string()))?;
    let scheme = match shape {
        Some(shape) => IdScheme::Package { stride: shape.stride().get() },
        None => IdScheme::Legacy,
    };
    Ok((ids, scheme))
}

/// No id above the file's limit.
pub(super) fn check_limit(
    source: &Source,
    apic: &Apic,
    scheme: IdScheme,
    processors: &[Processor],
    spans: &[Span],
) -> Result<(), FileError> {
    let Some(limit) = &apic.limit else { return Ok(()) };
    let highest: u32 = source.narrow("limit", limit)?;
    let Some((over, span)) = processors.iter().zip(spans).find(|(p, _)| p.apic_id.0 > highest)
    else {
        return Ok(());
    };
    let most = processors.iter().map(|p| p.apic_id.0).max().unwrap_or(0);
    let (way_out, span) = match scheme {
        IdScheme::Package { stride: 2 } => (
            "a higher limit, stride = 1 or fewer vCPUs in the largest node would be right",
            limit.span(),
        ),
        IdScheme::Package { .. } => {
            ("a higher limit, lower pxm numbers or fewer vCPUs would be right", limit.span())
        }
        IdScheme::Legacy => ("a higher limit or fewer vCPUs would be right", limit.span()),
        IdScheme::Explicit => ("a lower id or a higher limit would be right", span.clone()),
    };
    let what = format!(
        "vCPU {} has APIC id {}, above the limit {highest} (the highest id is {most}): {way_out}",
        over.uid.0, over.apic_id.0
    );
    Err(source.fail(&span, what))
}
