//! Fewer entries, where a proportional cut of every piece makes too many: all of
//! a node's share goes to its largest pieces, so that at most one of them is cut.

use crate::e820::{Piece, Trim};
use crate::{Error, VnodeId};

pub(super) fn down_to(trim: &mut Trim<'_>, max: usize) -> Result<(), Error> {
    loop {
        let needed = trim.len();
        if needed <= max {
            return Ok(());
        }
        let Some(vnode) = most_pieces(trim.pieces) else {
            return Err(Error::TooManyEntries { needed, max });
        };
        gather(trim.pieces, vnode);
        trim.merged = trim.merged.saturating_add(1);
    }
}

/// The vnode with the most pieces among those not merged yet.
fn most_pieces(pieces: &[Piece]) -> Option<Option<VnodeId>> {
    let count = |piece: &Piece| pieces.iter().filter(|other| other.vnode == piece.vnode).count();
    let open = pieces.iter().filter(|piece| !piece.merged);
    open.max_by_key(|piece| count(piece)).map(|piece| piece.vnode)
}

/// Gives the node's share to its largest pieces, and to the lower of two that are
/// equal: what is kept stands together then.
fn gather(pieces: &mut [Piece], vnode: Option<VnodeId>) {
    let mut left = 0_u64;
    for piece in pieces.iter_mut().filter(|piece| piece.vnode == vnode) {
        left = left.saturating_add(piece.share.saturating_sub(piece.kept));
        piece.share = piece.kept;
    }
    while let Some(piece) = pieces
        .iter_mut()
        .rev()
        .filter(|piece| piece.vnode == vnode && !piece.merged)
        .max_by_key(|piece| piece.free())
    {
        let taken = piece.free().min(left);
        piece.share = piece.share.saturating_add(taken);
        piece.merged = true;
        left = left.saturating_sub(taken);
    }
}
