//! Linux's cpulists: "0-3,8" (Documentation/admin-guide/cputopology.rst).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use core::fmt::Write;
use core::ops::RangeInclusive;

/// Reads a cpulist into ascending runs. The empty string is no CPU.
///
/// # Errors
/// What is wrong with the list, and what would be right.
pub fn parse(text: &str) -> Result<Vec<RangeInclusive<u32>>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut runs: Vec<RangeInclusive<u32>> = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first, text)?, number(last, text)?);
        if last < first {
            return Err(format!(
                "cpulist \"{text}\": {first}-{last} runs backwards, {last}-{first} is right"
            ));
        }
        if let Some(before) = runs.last().map(|run| *run.end())
            && first <= before
        {
            return Err(format!(
                "cpulist \"{text}\": {first} behind {before}, ascending order is right"
            ));
        }
        runs.push(first..=last);
    }
    Ok(runs)
}

fn number(digits: &str, list: &str) -> Result<u32, String> {
    // The highest value is kept out so that "one more" always exists.
    let value = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    value.filter(|&value| value < u32::MAX).ok_or_else(|| {
        format!("cpulist \"{list}\": \"{digits}\" is not a CPU number; \"0-3,8\" would be right")
    })
}

/// Number of CPUs in ascending runs.
pub fn count(runs: &[RangeInclusive<u32>]) -> u64 {
    runs.iter()
        .map(|run| u64::from(run.end().saturating_sub(*run.start())).saturating_add(1))
        .fold(0, u64::saturating_add)
}

/// Writes ascending numbers as a cpulist; runs with a step above 1 as "0-46/2",
/// so that the ids of a whole package stay one short term.
pub fn compress(numbers: &[u32]) -> String {
    let mut out = String::new();
    let mut rest = numbers;
    while let Some((&first, others)) = rest.split_first() {
        let (step, len) = run(first, others);
        let last =
            first.saturating_add(step.saturating_mul(u32::try_from(len).unwrap_or(u32::MAX)));
        if !out.is_empty() {
            out.push(',');
        }
        let _infallible = match (len, step) {
            (0, _) => write!(out, "{first}"),
            (_, 1) => write!(out, "{first}-{last}"),
            _ => write!(out, "{first}-{last}/{step}"),
        };
        rest = others.get(len..).unwrap_or(&[]);
    }
    out
}

/// The step from `first` on, and how many of `others` follow at it. A step above
/// 1 must hold for three numbers, else "0,5" would become "0-5/5".
fn run(first: u32, others: &[u32]) -> (u32, usize) {
    let Some(step) = others.first().and_then(|next| next.checked_sub(first)) else { return (1, 0) };
    let mut expected = first;
    let len = others
        .iter()
        .take_while(|&&number| {
            let next = expected.checked_add(step);
            expected = number;
            step > 0 && next == Some(number)
        })
        .count();
    if step == 1 || len >= 2 { (step, len) } else { (1, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_runs() {
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(parse("0-24"), Ok(vec![0..=24]));
        assert_eq!(parse("0,2-3,8"), Ok(vec![0..=0, 2..=3, 8..=8]));
        assert_eq!(count(&[0..=0, 2..=3, 8..=8]), 4);
    }

    #[test]
    fn refuses_what_is_no_ascending_list() {
        for text in [
            "3-1",
            "1,0",
            "0-3,3",
            "a",
            "1,",
            ",1",
            "0-",
            "-3",
            "0 - 3",
            "+1",
            "4294967295",
            "0-1-2",
        ] {
            assert!(parse(text).is_err_and(|what| what.contains(text)), "{text}");
        }
    }

    #[test]
    fn compresses_runs_and_steps() {
        assert_eq!(compress(&[]), "");
        assert_eq!(compress(&[0, 1, 2, 3, 8]), "0-3,8");
        assert_eq!(compress(&[0, 2, 4, 6]), "0-6/2");
        assert_eq!(compress(&[0, 5]), "0,5");
        assert_eq!(compress(&[0, 1, 4, 6, 8, 9, 20]), "0-1,4-8/2,9,20");
        assert_eq!(compress(&[u32::MAX]), "4294967295");
    }
}
