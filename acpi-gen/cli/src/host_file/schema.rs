//! The host file as TOML has it, with the place of every value.

use std::fmt;

use acpi_gen::E820Type;
use serde::{Deserialize, Deserializer, de};

use hv_glue_topology::number::{self, Number};
use hv_glue_topology::source::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) e820: Vec<E820>,
    #[serde(default)]
    pub(super) memblk: Vec<MemBlk>,
    pub(super) cpu_to_node: Spanned<Vec<Spanned<Number>>>,
    pub(super) node_to_pxm: Spanned<Vec<Spanned<Number>>>,
    pub(super) distances: Option<Spanned<Vec<Row>>>,
    #[serde(default)]
    pub(super) dom0: Dom0,
}

/// Distances to all nodes, in their order.
pub(super) type Row = Spanned<Vec<Spanned<Number>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct E820 {
    pub(super) start: Spanned<Number>,
    pub(super) end: Spanned<Number>,
    #[serde(rename = "type", deserialize_with = "e820_type")]
    pub(super) kind: E820Type,
}

fn e820_type<'de, D: Deserializer<'de>>(from: D) -> Result<E820Type, D::Error> {
    const NAMES: [&str; 5] = ["ram", "reserved", "acpi", "nvs", "unusable"];
    match String::deserialize(from)?.as_str() {
        "ram" => Ok(E820Type::RAM),
        "reserved" => Ok(E820Type::RESERVED),
        "acpi" => Ok(E820Type::ACPI),
        "nvs" => Ok(E820Type::NVS),
        "unusable" => Ok(E820Type::UNUSABLE),
        other => Err(de::Error::unknown_variant(other, &NAMES)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemBlk {
    pub(super) start: Spanned<Number>,
    pub(super) end: Spanned<Number>,
    pub(super) node: Spanned<Number>,
    #[serde(default)]
    pub(super) hotplug: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dom0 {
    pub(super) mode: Mode,
    pub(super) pinned: bool,
    pub(super) vcpus: Option<Spanned<Number>>,
    pub(super) mem: Option<Spanned<Amount>>,
    pub(super) nr_pages: Option<Spanned<Number>>,
    pub(super) keep: Option<Vec<Spanned<String>>>,
    pub(super) modules: Option<Number>,
}

/// The dom0 that vNUMA is for; a file that leaves it out gets a plan.
impl Default for Dom0 {
    fn default() -> Self {
        Self {
            mode: Mode::Pvh,
            pinned: true,
            vcpus: None,
            mem: None,
            nr_pages: None,
            keep: None,
            modules: None,
        }
    }
}

/// How dom0 runs.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Hardware-virtualised, with tables of our making.
    Pvh,
    /// Paravirtualised, with the host's tables.
    Pv,
}

/// dom0's memory.
#[derive(Clone, Copy)]
pub(super) enum Amount {
    Percent(u32),
    Bytes(u64),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as \"16GiB\", or a percentage such as \"35%\"")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
                u64::try_from(value)
                    .map(Amount::Bytes)
                    .map_err(|_| E::custom(format!("{value} is negative: 0 or more is right")))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Amount, E> {
                let Some(percent) = value.strip_suffix('%') else {
                    return number::parse(value).map(Amount::Bytes).map_err(E::custom);
                };
                let digits = percent.bytes().all(|byte| byte.is_ascii_digit());
                match percent.parse() {
                    Ok(percent @ 0..=100) if digits => Ok(Amount::Percent(percent)),
                    _ => Err(E::custom(format!("\"{value}\": \"0%\" to \"100%\" is right"))),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
