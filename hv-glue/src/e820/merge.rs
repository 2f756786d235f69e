//! Fewer entries, where a proportional cut of every piece makes too many: all of
//! a node's share goes to its largest pieces, so that at most one of them is cut.

use crate::Error;
use crate::e820::Piece;
use crate::e820::pieces::{of_node, visit};

/// Merges node by node until `entries` says that there are at most `max`. Returns how many
/// nodes were merged. O(pieces * nodes).
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
        let Some(first) = most_pieces(pieces) else {
            return Err(Error::TooManyEntries { needed, max });
        };
        gather(pieces, first);
        merged = merged.saturating_add(1);
    }
}

/// The first piece of the node with the most pieces among those not merged yet.
fn most_pieces(pieces: &[Piece]) -> Option<usize> {
    let open = (0..).zip(pieces).filter(|(_, piece)| piece.first && !piece.merged);
    open.map(|(first, _)| first).max_by_key(|first| of_node(pieces, *first).count())
}

/// Gives the node's share to its largest pieces, and to the lower of two that are
/// equal, so that what is kept is contiguous.
fn gather(pieces: &mut [Piece], first: usize) {
    let mut left = of_node(pieces, first)
        .fold(0_u64, |sum, piece| sum.saturating_add(piece.share.saturating_sub(piece.kept)));
    // The size above which all pieces are kept whole, by its bits from the highest on: there
    // is no memory for sorting.
    let above = |size: u64| {
        let larger = of_node(pieces, first).filter(|piece| piece.free() > size);
        larger.fold(0_u64, |sum, piece| sum.saturating_add(piece.free()))
    };
    let (mut size, mut bit) = (0_u64, 1_u64 << 63);
    while bit != 0 {
        // `above` falls as the size grows: the lower sizes do not fit where this one does not.
        if above(size | bit.saturating_sub(1)) > left {
            size |= bit;
        }
        bit >>= 1;
    }
    left = left.saturating_sub(above(size));
    visit(pieces, first, |piece| {
        let taken = match piece.free() {
            free if free > size => free,
            free if free == size => free.min(left),
            _ => 0,
        };
        if piece.free() == size {
            left = left.saturating_sub(taken);
        }
        piece.share = piece.kept.saturating_add(taken);
        piece.merged = true;
    });
}
