//! Finding a duplicate among 32-bit values in place, in linear time and
//! without the panic paths of `core`'s sorts (which guard against comparison
//! functions that contradict themselves).

/// The smallest value that stands twice in `values`, which is reordered.
pub(crate) fn duplicate(values: &mut [u32]) -> Option<u32> {
    sort(values);
    first_duplicate(values)
}

/// Sorts, in one pass where the values ascend already.
pub(crate) fn sort(values: &mut [u32]) {
    if !strictly_ascending(values) {
        radix_exchange(values);
    }
}

/// As many of `values` as `into` has room for, ascending.
pub(crate) fn collected(into: &mut [u32], values: impl Iterator<Item = u32>) -> &mut [u32] {
    let mut count = 0_usize;
    for (slot, value) in into.iter_mut().zip(values) {
        *slot = value;
        count = count.saturating_add(1);
    }
    let values = into.get_mut(..count).unwrap_or_default();
    sort(values);
    values
}

/// The smallest value that stands twice in a sorted slice.
pub(crate) fn first_duplicate(sorted: &[u32]) -> Option<u32> {
    sorted.windows(2).find_map(|pair| match *pair {
        [a, b] if a == b => Some(a),
        _ => None,
    })
}

/// The different values of a sorted slice, moved to its front.
pub(crate) fn dedup(sorted: &mut [u32]) -> &mut [u32] {
    let (mut kept, mut last) = (0_usize, None);
    for at in 0..sorted.len() {
        let value = sorted.get(at).copied();
        if value != last
            && let (Some(value), Some(slot)) = (value, sorted.get_mut(kept))
        {
            *slot = value;
            kept = kept.saturating_add(1);
        }
        last = value;
    }
    sorted.get_mut(..kept).unwrap_or_default()
}

/// Sorts `items` by 64-bit keys, ascending; equal keys keep their order. Linear: one pass
/// for each byte of the keys that differs. `spare` needs the length of `items`, and either
/// of the two may be what is returned.
pub(crate) fn by_key<'s>(
    mut items: &'s mut [u32],
    mut spare: &'s mut [u32],
    key: impl Fn(u32) -> u64,
) -> &'s mut [u32] {
    let ascending = |pair: &[u32]| matches!(*pair, [a, b] if key(a) <= key(b));
    if items.windows(2).all(ascending) {
        return items;
    }
    for shift in [0, 8, 16, 24, 32, 40, 48, 56] {
        let digit = |item: u32| usize::from((key(item) >> shift).to_le_bytes()[0]);
        // How many items have each digit, then where the next one with it goes.
        let mut places = [0_usize; 256];
        for item in items.iter() {
            if let Some(count) = places.get_mut(digit(*item)) {
                *count = count.saturating_add(1);
            }
        }
        if places.contains(&items.len()) {
            continue;
        }
        let mut first = 0_usize;
        for place in &mut places {
            let count = core::mem::replace(place, first);
            first = first.saturating_add(count);
        }
        for item in items.iter() {
            let Some(place) = places.get_mut(digit(*item)) else { continue };
            if let Some(slot) = spare.get_mut(*place) {
                *slot = *item;
            }
            *place = place.saturating_add(1);
        }
        core::mem::swap(&mut items, &mut spare);
    }
    items
}

fn strictly_ascending(values: &[u32]) -> bool {
    values.windows(2).all(|pair| matches!(*pair, [a, b] if a < b))
}

/// Sorts by the highest bit, then each half by the next, with a stack of its
/// own: at most one postponed half for each of the 32 bits.
fn radix_exchange(values: &mut [u32]) {
    let mut stack = [(0_usize, 0_usize, 0_u32); 33];
    let mut depth = 1_usize;
    if let Some(slot) = stack.first_mut() {
        *slot = (0, values.len(), 1 << 31);
    }
    while let Some(&(start, end, bit)) = depth.checked_sub(1).and_then(|top| stack.get(top)) {
        depth = depth.saturating_sub(1);
        let Some(part) = values.get_mut(start..end) else { return };
        if part.len() < 2 || bit == 0 {
            continue;
        }
        let middle = start.saturating_add(partition(part, bit));
        for half in [(start, middle, bit >> 1), (middle, end, bit >> 1)] {
            if let Some(slot) = stack.get_mut(depth) {
                *slot = half;
                depth = depth.saturating_add(1);
            }
        }
    }
}

/// Moves the values without `bit` to the front and counts them.
fn partition(values: &mut [u32], bit: u32) -> usize {
    let (mut low, mut high) = (0_usize, values.len());
    while low < high {
        match values.get(low) {
            Some(value) if value & bit != 0 => {
                high = high.saturating_sub(1);
                // Not `swap`, whose bounds checks would stay as panic paths.
                if let Ok([a, b]) = values.get_disjoint_mut([low, high]) {
                    core::mem::swap(a, b);
                }
            }
            _ => low = low.saturating_add(1),
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn finds_the_smallest_duplicate_wherever_it_stands() {
        assert_eq!(duplicate(&mut []), None);
        assert_eq!(duplicate(&mut [7]), None);
        assert_eq!(duplicate(&mut [0, 1, 2, u32::MAX]), None);
        assert_eq!(duplicate(&mut [u32::MAX, 2, 9, 2, u32::MAX]), Some(2));
        assert_eq!(duplicate(&mut [5, 5]), Some(5));
    }

    #[test]
    fn keeps_one_of_each() {
        assert_eq!(dedup(&mut []), []);
        assert_eq!(dedup(&mut [3, 3, 3, 7, u32::MAX, u32::MAX]), [3, 7, u32::MAX]);
    }

    #[test]
    fn sorting_by_keys_keeps_the_order_of_equal_keys() {
        let keys = [9_u64 << 56, 3, 1 << 40, 3, 0, u64::MAX, 1 << 40, 256];
        let mut items: Vec<u32> = (0..8).collect();
        let mut spare = [0; 8];
        let key = |item| keys[usize::try_from(item).unwrap()];
        let sorted = by_key(&mut items, &mut spare, key);
        assert_eq!(sorted, [4, 1, 3, 7, 2, 6, 0, 5]);
        let mut ascending = [4, 1, 3, 7, 2, 6, 0, 5];
        assert_eq!(by_key(&mut ascending, &mut [], key)[0], 4);
        assert_eq!(by_key(&mut [], &mut [], |_| 0), []);
    }

    #[test]
    fn sorts_what_a_generator_throws_at_it() {
        // xorshift32: a full-period generator, so the first 10,000 values differ.
        let mut state = 2_463_534_242_u32;
        let mut values: Vec<u32> = (0..10_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state
            })
            .collect();
        let mut expected = values.clone();
        expected.sort_unstable();
        radix_exchange(&mut values);
        assert_eq!(values, expected);
        values.push(expected[1234]);
        assert_eq!(duplicate(&mut values), Some(expected[1234]));
    }
}
