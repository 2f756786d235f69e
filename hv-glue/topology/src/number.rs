//! Numbers as the formats have them: TOML integers, or strings in hexadecimal or
//! decimal with a binary unit.

use alloc::format;
use alloc::string::String;

use core::fmt;

use serde::{Deserialize, Deserializer, de};

const UNITS: [(&str, u64); 4] =
    [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// Reads "0x1000", "4096" or "4KiB".
///
/// # Errors
/// What is wrong with the text, and what would be right.
pub fn parse(text: &str) -> Result<u64, String> {
    let (digits, unit) = UNITS
        .iter()
        .find_map(|&(name, unit)| Some((text.strip_suffix(name)?, unit)))
        .unwrap_or((text, 1));
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(hexadecimal) => (hexadecimal, 16),
        None => (digits, 10),
    };
    // `from_str_radix` alone would take a sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(format!(
            "\"{text}\" is not a number: \"0x…\" or decimal digits are, with KiB, MiB, GiB or TiB behind them"
        ));
    }
    u64::from_str_radix(digits, radix)
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| format!("\"{text}\" is not below 2^64"))
}

/// A number in a TOML file, an integer or such a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a string such as \"0x1000\" or \"4GiB\"")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
                u64::try_from(value)
                    .map(Number)
                    .map_err(|_| E::custom(format!("{value} is negative: 0 or more is right")))
            }

            fn visit_i128<E: de::Error>(self, value: i128) -> Result<Number, E> {
                u64::try_from(value)
                    .map(Number)
                    .map_err(|_| E::custom(format!("{value} is not from 0 to below 2^64")))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Number, E> {
                parse(value).map(Number).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_each_form() {
        for (text, value) in [
            ("0", 0),
            ("0x0", 0),
            ("0xfeC00000", 0xFEC0_0000),
            ("4096", 4096),
            ("4KiB", 4096),
            ("0x4MiB", 4 << 20),
            ("7GiB", 7 << 30),
            ("16777215TiB", 16_777_215 << 40),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number_below_two_to_the_64() {
        for text in ["", "0x", "GiB", "-1", "+1", "1.5GiB", "1 GiB", "4GB", "0x0x1", "1_000", "ten"]
        {
            assert!(parse(text).is_err_and(|what| what.contains("is not a number")), "{text}");
        }
        for text in ["18446744073709551616", "16777216TiB", "0x10000000000000000"] {
            assert!(parse(text).is_err_and(|what| what.contains("below 2^64")), "{text}");
        }
    }
}
