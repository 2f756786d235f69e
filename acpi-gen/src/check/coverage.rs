//! How much RAM of a memory map lies in no memory entry.

/// Bytes.
pub(super) struct Coverage {
    pub(super) ram: u64,
    pub(super) uncovered: u64,
    /// First address that is not covered.
    pub(super) first: Option<u64>,
}

/// Walks each range of RAM from hole to hole. The ranges may stand in any order
/// and overlap; nothing is stored, so each hole costs one pass over them.
pub(super) fn coverage(
    ram: impl Iterator<Item = (u64, u64)>,
    covered: impl Iterator<Item = (u64, u64)> + Clone,
) -> Coverage {
    let mut total = Coverage { ram: 0, uncovered: 0, first: None };
    for (start, end) in ram {
        total.ram = total.ram.saturating_add(end.saturating_sub(start));
        let mut at = start;
        while at < end {
            // How far the ranges that hold this address reach.
            let reach = covered
                .clone()
                .filter(|&(from, to)| from <= at && at < to)
                .fold(at, |reach, (_, to)| reach.max(to));
            if reach > at {
                at = reach;
                continue;
            }
            // None does: up to the next range that begins.
            let next = covered
                .clone()
                .filter(|&(from, to)| from > at && from < to)
                .fold(end, |next, (from, _)| next.min(from));
            total.first.get_or_insert(at);
            total.uncovered = total.uncovered.saturating_add(next.saturating_sub(at));
            at = next;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uncovered(ram: &[(u64, u64)], covered: &[(u64, u64)]) -> (u64, Option<u64>) {
        let found = coverage(ram.iter().copied(), covered.iter().copied());
        (found.uncovered, found.first)
    }

    #[test]
    fn counts_holes_whatever_the_order() {
        let covered = [(50, 60), (0, 10), (5, 20), (70, 70)];
        assert_eq!(uncovered(&[(0, 20)], &covered), (0, None));
        assert_eq!(uncovered(&[(0, 100)], &covered), (70, Some(20)));
        assert_eq!(uncovered(&[(15, 25), (55, 65)], &covered), (10, Some(20)));
        assert_eq!(uncovered(&[(1, 2)], &[]), (1, Some(1)));
        assert_eq!(uncovered(&[(0, u64::MAX)], &[(1, u64::MAX)]), (1, Some(0)));
    }
}
