//! xl's configuration files, as far as they say what a guest's topology is.

mod cpus;
mod syntax;
mod topology_text;
mod video;
mod vnode;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::FileError;
use crate::limits::MOST_VCPUS;
use crate::source::Source;
use syntax::{Setting, SyntaxError, Value, ValueKind};

pub use vnode::XlVnode;

/// A guest as xl.cfg(5) describes it.
#[derive(Clone, Debug)]
pub struct XlConfig {
    /// `vcpus=`: those that are online at boot, 0 to this number.
    pub vcpus: u32,
    /// `maxvcpus=`: all that there are.
    pub max_vcpus: u32,
    /// `memory=` in MiB: what the guest starts with.
    pub memory: u64,
    /// `maxmem=` in MiB: the vnodes' memory.
    pub max_memory: u64,
    /// Video memory in MiB, which an HVM guest has instead of as much RAM of vnode 0.
    pub video_memory: u64,
    /// `vnuma=`; one vnode with everything where the file has none.
    pub vnodes: Vec<XlVnode>,
    /// `cpus=`: one list for all vCPUs, or one for each.
    pub cpus: Vec<String>,
}

impl XlConfig {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// What is wrong, and its line.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileError> {
        let source = Source::new(bytes)?;
        let settings = syntax::parse(source.text());
        settings
            .and_then(|settings| from_settings(&settings))
            .map_err(|(line, what)| FileError { line, what })
    }
}

/// The keys that say something of the topology.
#[derive(Default)]
struct Keys<'a> {
    kind: Option<&'a Value>,
    builder: Option<&'a Value>,
    videoram: Option<&'a Value>,
    vga: Option<&'a Value>,
    stdvga: Option<&'a Value>,
    device_model: Option<&'a Value>,
    stub_domain: Option<&'a Value>,
    mmio_hole: Option<&'a Value>,
    vcpus: Option<&'a Value>,
    max_vcpus: Option<&'a Value>,
    memory: Option<&'a Value>,
    max_memory: Option<&'a Value>,
    cpus: Option<&'a Value>,
    vnuma: Option<&'a Value>,
}

fn find(settings: &[Setting]) -> Result<Keys<'_>, SyntaxError> {
    let mut keys = Keys::default();
    for setting in settings {
        let key = setting.key.as_str();
        let slot = match key {
            "type" => &mut keys.kind,
            "builder" => &mut keys.builder,
            "videoram" => &mut keys.videoram,
            "vga" => &mut keys.vga,
            "stdvga" => &mut keys.stdvga,
            "device_model_version" => &mut keys.device_model,
            "device_model_stubdomain_override" => &mut keys.stub_domain,
            "mmio_hole" => &mut keys.mmio_hole,
            "vcpus" => &mut keys.vcpus,
            "maxvcpus" => &mut keys.max_vcpus,
            "memory" => &mut keys.memory,
            "maxmem" => &mut keys.max_memory,
            "cpus" => &mut keys.cpus,
            "vnuma" => &mut keys.vnuma,
            _ => continue,
        };
        if setting.adds {
            return Err((setting.line, format!("{key} += is not read here: one {key}= is right")));
        }
        if let Some(first) = slot.replace(&setting.value) {
            let what = format!("{key} stands on line {} already: once is right", first.line);
            return Err((setting.line, what));
        }
    }
    Ok(keys)
}

fn from_settings(settings: &[Setting]) -> Result<XlConfig, SyntaxError> {
    let keys = find(settings)?;
    let vnuma = keys.vnuma.map(vnodes).transpose()?.unwrap_or_default();
    let (kind, line) = guest_type(&keys)?;
    if kind == GuestType::Pv && !vnuma.is_empty() {
        return Err((line, "a PV guest with vnuma: type=\"pvh\" is right".to_owned()));
    }
    let video_memory = video::memory(&keys, kind == GuestType::Hvm)?;
    let vcpus = keys.vcpus.map(|value| count(value, "vcpus")).transpose()?;
    let named = keys.max_vcpus.map(|value| count(value, "maxvcpus")).transpose()?;
    let line_of = |value: Option<&Value>| value.map_or(1, |value| value.line);
    let max_vcpus = if vnuma.is_empty() {
        named.or(vcpus).unwrap_or(1)
    } else {
        let placed = vcpus_of(&vnuma)?;
        let (name, most) = named.map_or(("vcpus", vcpus), |max| ("maxvcpus", Some(max)));
        let most = most.unwrap_or(placed);
        if placed != most {
            let what =
                format!("{name}={most}, but vnuma places {placed}: the same number is right");
            return Err((line_of(keys.max_vcpus.or(keys.vcpus)), what));
        }
        placed
    };
    let vcpus = vcpus.unwrap_or(max_vcpus);
    if vcpus > max_vcpus {
        let what = format!("vcpus={vcpus} is more than maxvcpus={max_vcpus}");
        return Err((line_of(keys.vcpus), what));
    }

    let memory = keys.memory.map(|value| size(value, "memory")).transpose()?;
    let max_memory = keys.max_memory.map(|value| size(value, "maxmem")).transpose()?;
    let (max_memory, vnodes) = if vnuma.is_empty() {
        let all = max_memory.or(memory).ok_or_else(|| {
            (1, "neither memory, maxmem nor vnuma: one of them is needed".to_owned())
        })?;
        (all, vec![whole(max_vcpus, all)])
    } else {
        let sum = vnuma.iter().map(|vnode| vnode.size).fold(0, u64::saturating_add);
        if let Some(most) = max_memory
            && most != sum
        {
            let what = format!("maxmem={most}, but vnuma's sizes sum to {sum}: the same is right");
            return Err((line_of(keys.max_memory), what));
        }
        (sum, vnuma)
    };
    let memory = memory.unwrap_or(max_memory);
    if memory > max_memory {
        let what = format!("memory={memory} is more than the {max_memory} MiB that there may be");
        return Err((line_of(keys.memory), what));
    }
    let cpus = keys.cpus.map(|value| affinity(value, max_vcpus)).transpose()?.unwrap_or_default();
    if let Some(first) = vnodes.first()
        && first.size < video_memory
    {
        let size = first.size;
        let what = format!(
            "vnode 0 has {size} MiB, less than the {video_memory} MiB of video memory taken off it"
        );
        return Err((first.line, what));
    }
    Ok(XlConfig { vcpus, max_vcpus, memory, max_memory, video_memory, vnodes, cpus })
}

/// What `type=` or the older `builder=` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GuestType {
    Pv,
    Pvh,
    Hvm,
}

/// The guest's type, PVH where the file has none, and the line that says so.
fn guest_type(keys: &Keys<'_>) -> Result<(GuestType, usize), SyntaxError> {
    let (value, key) = match (keys.kind, keys.builder) {
        (Some(kind), _) => (kind, "type"),
        (None, Some(builder)) => (builder, "builder"),
        (None, None) => return Ok((GuestType::Pvh, 1)),
    };
    let kind = match (key, text(value, key)?) {
        ("type", "pv") | ("builder", "generic") => GuestType::Pv,
        ("type", "pvh") => GuestType::Pvh,
        (_, "hvm") => GuestType::Hvm,
        (_, other) => {
            let expected = if key == "type" { "pv, pvh or hvm" } else { "generic or hvm" };
            return Err((value.line, format!("{key}=\"{other}\"; expected {expected}")));
        }
    };
    Ok((kind, value.line))
}

/// The one node of a guest without `vnuma=`.
fn whole(vcpus: u32, size: u64) -> XlVnode {
    let all = 0..=vcpus.saturating_sub(1);
    XlVnode {
        pnode: None,
        size,
        vcpus: vec![all],
        distances: vec![10],
        line: 1,
        vcpus_line: 1,
        distances_line: 1,
    }
}

fn vnodes(value: &Value) -> Result<Vec<XlVnode>, SyntaxError> {
    let ValueKind::List(specs) = &value.kind else {
        return Err((value.line, "vnuma is a list of vnodes: [ [\"pnode=0\", …], … ]".to_owned()));
    };
    let vnodes: Vec<XlVnode> =
        specs.iter().map(|spec| vnode::read(spec, specs.len())).collect::<Result<_, _>>()?;
    for (from, vnode) in vnodes.iter().enumerate() {
        for (to, &distance) in vnode.distances.iter().enumerate() {
            let right = if from == to { distance == 10 } else { distance > 10 };
            if !right {
                let wanted =
                    if from == to { "10" } else { "11 or more (above 254 the SLIT says 254)" };
                let what = format!(
                    "the distance from vnode {from} to vnode {to} is {distance}: {wanted} is right"
                );
                return Err((vnode.distances_line, what));
            }
        }
        if vnode.size == 0 {
            return Err((vnode.line, format!("vnode {from} has size=0: 1 MiB or more is right")));
        }
    }
    Ok(vnodes)
}

/// Checks that the vnodes have each vCPU from 0 on once, and returns how many.
fn vcpus_of(vnodes: &[XlVnode]) -> Result<u32, SyntaxError> {
    let mut all: Vec<_> = vnodes
        .iter()
        .flat_map(|vnode| vnode.vcpus.iter().map(|range| (range.clone(), vnode.vcpus_line)))
        .collect();
    all.sort_by_key(|(range, _)| *range.start());
    let mut next = 0;
    for (range, line) in all {
        let first = *range.start();
        if first < next {
            return Err((line, format!("vCPU {first} is in two lists: one is right")));
        }
        if first > next {
            return Err((
                line,
                format!("vCPU {first} is here but no vCPU {next}: 0, 1, … without a gap is right"),
            ));
        }
        next = range.end().saturating_add(1);
        if next > MOST_VCPUS {
            let what = format!("vCPU {}: at most {MOST_VCPUS} vCPUs are right", range.end());
            return Err((line, what));
        }
    }
    Ok(next)
}

fn affinity(value: &Value, max_vcpus: u32) -> Result<Vec<String>, SyntaxError> {
    let one = |value: &Value| {
        let list = text(value, "cpus")?;
        cpus::check_affinity(list).map_err(|what| (value.line, format!("cpus={what}")))?;
        Ok(list.to_owned())
    };
    match &value.kind {
        ValueKind::Text(_) => Ok(vec![one(value)?]),
        ValueKind::List(lists)
            if u32::try_from(lists.len()).is_ok_and(|lists| lists <= max_vcpus) =>
        {
            lists.iter().map(one).collect()
        }
        ValueKind::List(lists) => {
            let what = format!(
                "cpus has {} lists for {max_vcpus} vCPUs: at most one for each is right",
                lists.len()
            );
            Err((value.line, what))
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, SyntaxError> {
    match &value.kind {
        ValueKind::Text(text) => Ok(text),
        ValueKind::List(_) => {
            Err((value.line, format!("{key} is a list: a string or a number is right")))
        }
    }
}

fn count(value: &Value, key: &str) -> Result<u32, SyntaxError> {
    let wide = size(value, key)?;
    u32::try_from(wide)
        .ok()
        .filter(|count| (1..=MOST_VCPUS).contains(count))
        .ok_or_else(|| (value.line, format!("{key}={wide}: 1 to {MOST_VCPUS} is right")))
}

fn size(value: &Value, key: &str) -> Result<u64, SyntaxError> {
    number(text(value, key)?, key).map_err(|what| (value.line, what))
}

/// A number: decimal, octal with a leading 0, or hexadecimal. xl.cfg(5), "SYNTAX".
fn number(text: &str, key: &str) -> Result<u64, String> {
    let (digits, radix) = if let Some(digits) = text.strip_prefix("0x") {
        (digits, 16)
    } else if let Some(digits) = text.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        (digits, 8)
    } else {
        (text, 10)
    };
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten().ok_or_else(|| {
        format!("{key}=\"{text}\" is no number: decimal, 0… octal or 0x… hexadecimal is right")
    })
}
