//! Giving each piece its pages.

use acpi_gen::GpaRange;

use crate::e820::Piece;
use crate::e820::pieces::{of_node, visit};
use crate::{Error, Frames};

/// Each node in proportion to its pages, by Bresenham over the nodes in the order of their
/// first pieces, and then over the pieces of a node, whose ranges to keep come first.
pub(super) fn by_node(pieces: &mut [Piece], keep: &[GpaRange], nr_pages: u64) -> Result<(), Error> {
    let (kept, total) = count_kept(pieces, keep);
    if nr_pages < kept {
        return Err(Error::PagesBelowKept { nr_pages, kept });
    }
    if nr_pages > total {
        return Err(Error::PagesAboveTotal { nr_pages, total });
    }
    // Pages to share, and those of the nodes that share them.
    let (mut rest, mut open) = (nr_pages, total);
    // Each node that leaves the others less may bring one of them below its kept pages. Once
    // none is left, a share that is rounded down has all kept pages.
    let mut settled = false;
    while !settled {
        settled = true;
        for first in 0..pieces.len() {
            let Some((pages, kept)) = sharing(pieces, first) else { continue };
            if kept > multiply_divide(pages, rest, open, 0).0 {
                settled = false;
                rest = rest.saturating_sub(kept);
                open = open.saturating_sub(pages);
                if let Some(piece) = pieces.get_mut(first) {
                    piece.kept_alone = true;
                }
            }
        }
    }
    let mut carried = 0;
    for first in 0..pieces.len() {
        let Some((pages, kept)) = sharing(pieces, first) else { continue };
        let (share, remainder) = multiply_divide(pages, rest, open, carried);
        carried = remainder;
        give(pieces, first, share.saturating_sub(kept));
    }
    Ok(())
}

/// Gives each piece its pages in ranges to keep. Returns the sum of those, and that of all
/// pages.
fn count_kept(pieces: &mut [Piece], mut keep: &[GpaRange]) -> (u64, u64) {
    let (mut kept, mut total) = (0_u64, 0_u64);
    for piece in pieces {
        let frames = piece.frames;
        let kept_frames = keep.iter().map(|range| Frames::inside(*range));
        for range in kept_frames.take_while(|range| range.start < frames.end) {
            piece.kept = piece.kept.saturating_add(range.intersection(frames).pages());
        }
        // Ranges that end here are of no use to the pieces further up.
        while let Some((first, rest)) = keep.split_first()
            && Frames::inside(*first).end <= frames.end
        {
            keep = rest;
        }
        piece.share = piece.kept;
        kept = kept.saturating_add(piece.kept);
        total = total.saturating_add(frames.pages());
    }
    (kept, total)
}

/// All pages and the kept ones of the node whose first piece has this index; `None` for
/// another piece, and for a node that gets the kept ones alone.
fn sharing(pieces: &[Piece], first: usize) -> Option<(u64, u64)> {
    pieces.get(first).filter(|piece| piece.first && !piece.kept_alone)?;
    let sums = of_node(pieces, first).fold((0_u64, 0_u64), |(pages, kept), piece| {
        (pages.saturating_add(piece.frames.pages()), kept.saturating_add(piece.kept))
    });
    Some(sums)
}

/// Shares pages over the free ones of a node.
fn give(pieces: &mut [Piece], first: usize, pages: u64) {
    let free = of_node(pieces, first).fold(0_u64, |sum, piece| sum.saturating_add(piece.free()));
    let mut carried = 0;
    visit(pieces, first, |piece| {
        let (part, remainder) = multiply_divide(piece.free(), pages, free, carried);
        carried = remainder;
        piece.share = piece.kept.saturating_add(part);
    });
}

/// Each piece whole until all is given.
pub(super) fn first_fit(pieces: &mut [Piece], nr_pages: u64) -> Result<(), Error> {
    let mut left = nr_pages;
    for piece in pieces.iter_mut() {
        piece.share = piece.frames.pages().min(left);
        left = left.saturating_sub(piece.share);
    }
    if left > 0 {
        return Err(Error::PagesAboveTotal { nr_pages, total: nr_pages.saturating_sub(left) });
    }
    Ok(())
}

/// Quotient and remainder of `(a * b + carried) / divisor` for `b <= divisor`,
/// `carried < divisor` and a divisor of at most 2^62, bit by bit: the product
/// passes 64 bits from 16 TiB on, and a 128-bit division is a library call.
#[inline(never)]
fn multiply_divide(a: u64, b: u64, divisor: u64, carried: u64) -> (u64, u64) {
    if b >= divisor {
        // All of it, or nothing to share at all: no remainder ever arises.
        return (a, carried);
    }
    let (mut quotient, mut remainder) = (0_u64, 0_u64);
    // Nothing happens before the highest bit of `a`.
    let mut bit = (1_u64 << 63).checked_shr(a.leading_zeros()).unwrap_or(0);
    while bit != 0 {
        let (carry, doubled) = add_modulo(remainder, remainder, divisor);
        quotient = quotient.saturating_mul(2).saturating_add(carry);
        remainder = doubled;
        if a & bit != 0 {
            let (carry, sum) = add_modulo(remainder, b, divisor);
            quotient = quotient.saturating_add(carry);
            remainder = sum;
        }
        bit >>= 1;
    }
    let (carry, remainder) = add_modulo(remainder, carried, divisor);
    (quotient.saturating_add(carry), remainder)
}

/// Carry and rest of a sum of two numbers below `modulus`.
const fn add_modulo(a: u64, b: u64, modulus: u64) -> (u64, u64) {
    let sum = a.saturating_add(b);
    match sum.checked_sub(modulus) {
        Some(rest) => (1, rest),
        None => (0, sum),
    }
}

#[cfg(test)]
mod tests {
    use super::multiply_divide;

    #[test]
    fn agrees_with_128_bit_arithmetic() {
        let values = [0_u64, 1, 2, 3, 10, 4095, 1 << 20, (1 << 34) - 1, 1 << 34, (1 << 52) - 1];
        for a in values {
            for b in values {
                for divisor in values {
                    for carried in [0, 1, divisor / 2, divisor.saturating_sub(1)] {
                        if b >= divisor || carried >= divisor {
                            continue;
                        }
                        let exact = u128::from(a) * u128::from(b) + u128::from(carried);
                        let expected = (exact / u128::from(divisor), exact % u128::from(divisor));
                        let (q, r) = multiply_divide(a, b, divisor, carried);
                        assert_eq!((u128::from(q), u128::from(r)), expected, "{a} {b} {divisor}");
                    }
                }
            }
        }
    }
}
