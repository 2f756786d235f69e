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
use super::schema::{self, Apic, Encoding, Stride};
use crate::FileError;
use crate::number::Number;
use crate::source::{Source, Span};

/// The highest id that a type 9 entry holds: the one above means "ignore".
const HIGHEST_ID: ApicId = ApicId(u32::MAX - 1);

/// How the ids came about, for the person who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdScheme {
    /// A number of the node in the high bits.
    Package {
        /// The index of the proximity domain in ascending order instead of the domain.
        dense: bool,
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
    if let (Some(numbering), Encoding::Legacy | Encoding::Explicit) =
        (&apic.numbering, apic.encoding)
    {
        let what = "numbering belongs to encoding = \"package\": leave it out here";
        return Err(source.fail(&numbering.span(), what));
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
    // vnodes in ascending order of domain, for the dense index counts in theirs.
    let mut domains: Vec<_> = nodes.iter().map(|node| node.domain).collect();
    domains.sort_unstable();
    let vnodes: BTreeMap<ProximityDomain, VnodeId> =
        domains.iter().copied().zip((0..).map(VnodeId)).collect();
    let vcpu_to_vnode: Vec<VnodeId> =
        processors.iter().filter_map(|processor| vnodes.get(&processor.domain?).copied()).collect();
    let domains: Vec<_> = domains.into_iter().map(Some).collect();
    let placement = Placement { vcpu_to_vnode: &vcpu_to_vnode, domains: &domains };
    let mut ids = vec![ApicId(0); processors.len()];
    let mut scratch = vec![0; domains.len()];
    let mut assign = |scheme, limit| {
        ApicIds::assign(placement, scheme, limit, &mut scratch, &mut ids).map(|ids| ids.shape())
    };
    let shape = match apic.encoding {
        Encoding::Legacy => assign(Scheme::Legacy, HIGHEST_ID),
        _ => {
            let (open, last) = package_schemes(apic);
            open.into_iter()
                .find_map(|scheme| assign(scheme, ApicId::MAX_XAPIC).ok())
                .map_or_else(|| assign(last, HIGHEST_ID), Ok)
        }
    };
    // None passes it within a file's bounds of domains and vCPUs.
    let shape = shape.map_err(|error| source.fail(&(0..0), error.to_string()))?;
    let scheme = match shape {
        Some(shape) => IdScheme::Package {
            dense: shape.numbering() == Numbering::Dense,
            stride: shape.stride().get(),
        },
        None => IdScheme::Legacy,
    };
    Ok((ids, scheme))
}

/// The package encodings that the file leaves open, in the order in which they are tried,
/// and the one that is taken if none of them has ids up to 254 only.
fn package_schemes(apic: &Apic) -> (Vec<Scheme>, Scheme) {
    let numbering = match apic.numbering.as_ref().map(|it| *it.get_ref()).unwrap_or_default() {
        schema::Numbering::Auto => None,
        schema::Numbering::Pxm => Some(Numbering::Domain),
        schema::Numbering::Dense => Some(Numbering::Dense),
    };
    let stride = match apic.stride.as_ref().map(|it| *it.get_ref()).unwrap_or_default() {
        Stride::Auto => None,
        Stride::One => Some(hv_glue::Stride::One),
        Stride::Two => Some(hv_glue::Stride::Two),
    };
    let is_open = |scheme: &(Numbering, hv_glue::Stride)| {
        numbering.is_none_or(|it| it == scheme.0) && stride.is_none_or(|it| it == scheme.1)
    };
    let package = |(numbering, stride)| Scheme::Package(numbering, stride);
    let open = Scheme::IN_ORDER.into_iter().filter(is_open).map(package).collect();
    let last = (numbering.unwrap_or(Numbering::Domain), stride.unwrap_or(hv_glue::Stride::One));
    (open, package(last))
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
        IdScheme::Package { stride: 2, .. } => (
            "a higher limit, stride = 1 or fewer vCPUs in the largest node would be right",
            limit.span(),
        ),
        IdScheme::Package { dense: true, .. } => {
            ("a higher limit or fewer vCPUs in the largest node would be right", limit.span())
        }
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
