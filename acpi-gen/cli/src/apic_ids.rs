//! The package encoding: the proximity domain in the id's high bits, so that one
//! node is one package to whoever reads CPUID.

/// The highest id that 8-bit fields (CPUID leaf 1, xAPIC, type 0 entries) hold.
const MAX_XAPIC: u32 = 254;

/// The ids of vCPUs whose proximity domains are `domains`, in that order:
/// (domain << shift) | (offset * stride), where the offset counts the vCPUs of
/// the same domain before it. An id above 32 bits is the index of its vCPU as error.
pub(crate) fn package(domains: &[u32], stride: u32) -> Result<Vec<u32>, usize> {
    let mut seen = std::collections::HashMap::new();
    let offsets: Vec<u32> = domains
        .iter()
        .map(|&domain| {
            let count: &mut u32 = seen.entry(domain).or_default();
            let offset = *count;
            *count = count.saturating_add(1);
            offset
        })
        .collect();
    let highest =
        seen.values().copied().max().unwrap_or(1).saturating_mul(stride).saturating_sub(1);
    let shift = u32::BITS.saturating_sub(highest.leading_zeros());
    domains
        .iter()
        .zip(&offsets)
        .enumerate()
        .map(|(index, (&domain, &offset))| {
            u64::from(domain)
                .checked_shl(shift)
                .and_then(|package| {
                    package.checked_add(u64::from(offset).checked_mul(stride.into())?)
                })
                .and_then(|id| u32::try_from(id).ok())
                .ok_or(index)
        })
        .collect()
}

/// Stride 2 where every id is at most 254, else stride 1, whatever comes out.
pub(crate) fn package_auto(domains: &[u32]) -> Result<(u32, Vec<u32>), usize> {
    match package(domains, 2) {
        Ok(ids) if ids.iter().all(|&id| id <= MAX_XAPIC) => Ok((2, ids)),
        _ => package(domains, 1).map(|ids| (1, ids)),
    }
}
