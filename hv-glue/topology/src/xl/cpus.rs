//! Lists of CPUs in xl's forms.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use core::ops::RangeInclusive;

/// A vnode's `vcpus=`: numbers and ranges in any order. xl.cfg(5), "vnuma".
pub(super) fn vcpus(text: &str) -> Result<Vec<RangeInclusive<u32>>, String> {
    text.split(',').map(|part| range(part, text)).collect()
}

/// Checks `cpus=`: "all", ranges, "node:" or "nodes:" before a range, "^" before any of
/// them but "all" to leave it out. xl.cfg(5), "cpus". Which CPUs a node has is the host's.
pub(super) fn check_affinity(text: &str) -> Result<(), String> {
    for part in text.split(',').map(str::trim) {
        if part == "all" {
            continue;
        }
        let rest = part.strip_prefix('^').unwrap_or(part);
        let rest =
            rest.strip_prefix("nodes:").or_else(|| rest.strip_prefix("node:")).unwrap_or(rest);
        range(rest, text)?;
    }
    Ok(())
}

fn range(part: &str, text: &str) -> Result<RangeInclusive<u32>, String> {
    let part = part.trim();
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let number = |digits: &str| {
        // The highest number is kept out so that "one more" always exists.
        let value =
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        value.filter(|&value: &u32| value < u32::MAX).ok_or_else(|| {
            format!("\"{text}\": \"{part}\" is no CPU or range; \"0-5,8\" would be right")
        })
    };
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(format!("\"{text}\": {part} runs backwards, {last}-{first} is right"));
    }
    Ok(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn reads_the_manuals_examples() {
        assert_eq!(vcpus("0-5,8"), Ok(vec![0..=5, 8..=8]));
        assert_eq!(vcpus("3, 1"), Ok(vec![3..=3, 1..=1]));
        for text in
            ["all", "0-3,5,^1", "nodes:0-3,^node:2", "1,node:1,^6", "all,^node:1", "2", "3-8,^5"]
        {
            assert_eq!(check_affinity(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_list() {
        for text in ["", "a", "1-", "-1", "3-1", "0x1", "1-2-3", "4294967295", "^all", "1,,2"] {
            assert!(vcpus(text).is_err(), "{text}");
            assert!(check_affinity(text).is_err(), "{text}");
        }
        assert!(check_affinity("node:").is_err());
    }
}
