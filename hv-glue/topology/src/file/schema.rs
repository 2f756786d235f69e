//! The topology file as TOML has it, with the place of every value.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use alloc::collections::BTreeMap;
use core::fmt;

use acpi_gen::AcpiVersion;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use crate::number::Number;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) acpi: Version,
    #[serde(default)]
    pub(super) oem: Oem,
    #[serde(default)]
    pub(super) apic: Apic,
    #[serde(default)]
    pub(super) node: Vec<Node>,
    #[serde(default)]
    pub(super) distance: Distance,
    #[serde(default)]
    pub(super) ioapic: Vec<IoApic>,
    #[serde(default, rename = "override")]
    pub(super) overrides: Vec<Override>,
    #[serde(default)]
    pub(super) nmi: Vec<Nmi>,
}

/// The version of the specification, as a string: 6.5 without quotes would be a float.
pub(super) struct Version(pub(super) AcpiVersion);

impl Default for Version {
    fn default() -> Self {
        Self(AcpiVersion::V6_5)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Version;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"6.0\" to \"6.6\"")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Version, E> {
                AcpiVersion::ALL
                    .into_iter()
                    .find(|version| value == format!("6.{}", version.minor()))
                    .map(Version)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Oem {
    pub(super) id: Option<Spanned<String>>,
    pub(super) table_id: Option<Spanned<String>>,
    pub(super) revision: Option<Spanned<Number>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Apic {
    #[serde(default)]
    pub(super) encoding: Encoding,
    pub(super) numbering: Option<Spanned<Numbering>>,
    pub(super) stride: Option<Spanned<Stride>>,
    pub(super) limit: Option<Spanned<Number>>,
    pub(super) entries: Option<Spanned<Entries>>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    #[default]
    Package,
    Legacy,
    Explicit,
}

/// What the high bits of an id have.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Numbering {
    #[default]
    Auto,
    Pxm,
    Dense,
}

#[derive(Clone, Copy, Default)]
pub(super) enum Stride {
    #[default]
    Auto,
    One,
    Two,
}

impl<'de> Deserialize<'de> for Stride {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match NumberOr::deserialize(deserializer, "auto")? {
            NumberOr::Word => Ok(Self::Auto),
            NumberOr::Number(1) => Ok(Self::One),
            NumberOr::Number(2) => Ok(Self::Two),
            NumberOr::Number(other) => {
                Err(de::Error::custom(format!("stride {other}: 1, 2 or \"auto\" is right")))
            }
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entries {
    X2apic,
    Hybrid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub(super) pxm: Spanned<Number>,
    pub(super) cpus: Option<Spanned<String>>,
    pub(super) cpus_hotplug: Option<Spanned<String>>,
    pub(super) apic_ids: Option<Spanned<Vec<Spanned<Number>>>>,
    #[serde(default)]
    pub(super) memory: Vec<Spanned<Memory>>,
}

pub(super) enum Memory {
    /// "start-end".
    Range(String),
    Table(MemoryTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemoryTable {
    pub(super) start: Spanned<Number>,
    pub(super) size: Option<Spanned<Number>>,
    pub(super) end: Option<Spanned<Number>>,
    #[serde(default)]
    pub(super) hotpluggable: bool,
    #[serde(default)]
    pub(super) nonvolatile: bool,
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Memory;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"start-end\" or { start, size } or { start, end }")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Memory, E> {
                Ok(Memory::Range(value.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Memory, A::Error> {
                MemoryTable::deserialize(MapAccessDeserializer::new(map)).map(Memory::Table)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// `[distance]`: `matrix`, or rows by proximity domain. Both are kept, so that
/// the error for having both has a place.
#[derive(Default)]
pub(super) struct Distance {
    pub(super) matrix: Option<Spanned<Vec<MatrixRow>>>,
    pub(super) rows: Vec<(Spanned<String>, Row)>,
}

/// Distances to all nodes, in their order.
pub(super) type MatrixRow = Spanned<Vec<Spanned<DistanceValue>>>;

/// Distances to other domains, by their number.
pub(super) type Row = BTreeMap<Spanned<String>, Spanned<DistanceValue>>;

impl<'de> Deserialize<'de> for Distance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Distance;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`matrix`, or rows such as \"0\" = { \"5\" = 21 }")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Distance, A::Error> {
                let mut distance = Distance::default();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    if key.get_ref() == "matrix" {
                        distance.matrix = Some(map.next_value()?);
                    } else {
                        distance.rows.push((key, map.next_value()?));
                    }
                }
                Ok(distance)
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

#[derive(Clone, Copy)]
pub(super) enum DistanceValue {
    Number(u64),
    Unreachable,
}

impl<'de> Deserialize<'de> for DistanceValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match NumberOr::deserialize(deserializer, "unreachable")? {
            NumberOr::Word => Self::Unreachable,
            NumberOr::Number(value) => Self::Number(value),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IoApic {
    pub(super) id: Spanned<Number>,
    pub(super) address: Spanned<Number>,
    pub(super) gsi_base: Spanned<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    pub(super) source: Spanned<Number>,
    pub(super) gsi: Spanned<Number>,
    #[serde(default)]
    pub(super) polarity: Polarity,
    #[serde(default)]
    pub(super) trigger: Trigger,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nmi {
    pub(super) uid: Spanned<NmiUid>,
    pub(super) lint: Spanned<Number>,
    #[serde(default)]
    pub(super) polarity: Polarity,
    #[serde(default)]
    pub(super) trigger: Trigger,
}

#[derive(Clone, Copy)]
pub(super) enum NmiUid {
    All,
    Number(u64),
}

impl<'de> Deserialize<'de> for NmiUid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match NumberOr::deserialize(deserializer, "all")? {
            NumberOr::Word => Self::All,
            NumberOr::Number(value) => Self::Number(value),
        })
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Polarity {
    #[default]
    Conforming,
    High,
    Low,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Trigger {
    #[default]
    Conforming,
    Edge,
    Level,
}

/// A number, or one word in its place.
enum NumberOr {
    Number(u64),
    Word,
}

impl NumberOr {
    fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
        word: &'static str,
    ) -> Result<Self, D::Error> {
        struct Visitor(&'static str);

        impl de::Visitor<'_> for Visitor {
            type Value = NumberOr;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number or \"{}\"", self.0)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<NumberOr, E> {
                u64::try_from(value).map(NumberOr::Number).map_err(|_| {
                    E::custom(format!("{value} is negative: 0 or more or \"{}\" is right", self.0))
                })
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<NumberOr, E> {
                if value == self.0 {
                    return Ok(NumberOr::Word);
                }
                crate::number::parse(value).map(NumberOr::Number).map_err(|what| {
                    E::custom(format!("{what}; the word \"{}\" is right too", self.0))
                })
            }
        }

        deserializer.deserialize_any(Visitor(word))
    }
}
