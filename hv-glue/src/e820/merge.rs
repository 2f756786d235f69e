//! Fewer entries, where a proportional cut of every piece makes too many: all of
//! a node's share goes to its largest pieces, so that at most one of them is cut.

use acpi_gen::ProximityDomain;

use crate::Error;
use crate::e820::Piece;

/// Merges node by node until `entries` says that there are at most `max`. Returns how many
/// nodes were merged.
pub(super) fn down_to(
    max: usize,
    pieces: &mut [Piece],
    entries: impl Fn(&[Piece]) -> usize,
) -> Result<u32, Error> {
    let mut merged = 0_u32;
    loop {
        let needed = entries(pieces);
        if needed <= max {
            return Ok(merged);
        }
        let Some(domain) = most_pieces(pieces) else {
            return Err(Error::TooManyEntries { needed, max });
        };
        gather(pieces, domain);
        merged = merged.saturating_add(1);
    }
}

/// The node with the most pieces among those not merged yet.
fn most_pieces(pieces: &[Piece]) -> Option<Option<ProximityDomain>> {
    let count = |piece: &Piece| pieces.iter().filter(|other| other.domain == piece.domain).count();
    let open = pieces.iter().filter(|piece| !piece.merged);
    open.max_by_key(|piece| count(piece)).map(|piece| piece.domain)
}

/// Gives the node's share to its largest pieces, and to the lower of two that are
/// equal, so that what is kept is contiguous.
fn gather(pieces: &mut [Piece], domain: Option<ProximityDomain>) {
    let mut left = 0_u64;
    for piece in pieces.iter_mut().filter(|piece| piece.domain == domain) {
        left = left.saturating_add(piece.share.saturating_sub(piece.kept));
        piece.share = piece.kept;
    }
    while let Some(piece) = pieces
        .iter_mut()
        .rev()
        .filter(|piece| piece.domain == domain && !piece.merged)
        .max_by_key(|piece| piece.free())
    {
        let taken = piece.free().min(left);
        piece.share = piece.share.saturating_add(taken);
        piece.merged = true;
        left = left.saturating_sub(taken);
    }
}
