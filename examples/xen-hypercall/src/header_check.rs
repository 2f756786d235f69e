//! Prints a C program that a compiler accepts only where Xen's public headers have the
//! sizes, offsets and numbers that this crate has. hv-glue's own public header has to be
//! among Xen's as `xen/hv_glue.h`.
//!
//! The arguments are the versions of the domctl and the sysctl interface that the headers
//! have. Without arguments: prints each version that this crate knows, as interface, number
//! and either `headers` or the reason why it needs no check with headers.

use std::error::Error;
use std::io::Write;

use xen_hypercall::{DOMCTL_VERSIONS, Evidence, SYSCTL_VERSIONS, Scope, Version, groups};

const USAGE: &str = "usage: xen-header-check [DOMCTL-VERSION SYSCTL-VERSION], such as 0x17 0x15";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    match arguments.as_slice() {
        [] => Ok(list(&mut out)?),
        [domctl, sysctl] => Ok(program(&mut out, number(domctl)?, number(sysctl)?)?),
        _ => Err(USAGE.into()),
    }
}

fn number(text: &str) -> Result<u32, Box<dyn Error>> {
    let digits = text.strip_prefix("0x").ok_or(USAGE)?;
    Ok(u32::from_str_radix(digits, 16).map_err(|_| USAGE)?)
}

fn list(out: &mut impl Write) -> std::io::Result<()> {
    for (interface, versions) in [("domctl", DOMCTL_VERSIONS), ("sysctl", SYSCTL_VERSIONS)] {
        for version in versions {
            let evidence = match version.evidence {
                Evidence::Headers => "headers",
                Evidence::Read(reason) => reason,
            };
            writeln!(out, "{interface} {:#x} {evidence}", version.number)?;
        }
    }
    Ok(())
}

fn program(out: &mut impl Write, domctl: u32, sysctl: u32) -> std::io::Result<()> {
    writeln!(out, "#include <stddef.h>\n#include <stdint.h>")?;
    for header in [
        "domctl",
        "sysctl",
        "memory",
        "hvm/hvm_op",
        "hvm/params",
        "hvm/save",
        "arch-x86/cpuid",
        "hv_glue",
    ] {
        writeln!(out, "#include <xen/{header}.h>")?;
    }
    for code in ["END", "HEADER", "CPU", "LAPIC_REGS", "MTRR"] {
        writeln!(out, "#define HVM_SAVE_CODE_{code} HVM_SAVE_CODE({code})")?;
    }
    equal(out, "XEN_DOMCTL_INTERFACE_VERSION", u64::from(domctl))?;
    equal(out, "XEN_SYSCTL_INTERFACE_VERSION", u64::from(sysctl))?;
    let among = |versions: &[Version], number| versions.iter().any(|it| it.number == number);
    for group in groups() {
        let applies = match group.scope {
            Scope::Every => true,
            Scope::Domctl(versions) => among(versions, domctl),
            Scope::Sysctl(versions) => among(versions, sysctl),
        };
        if !applies {
            continue;
        }
        for mirror in group.mirrors {
            let name = mirror.c_type;
            writeln!(out, "_Static_assert(sizeof({name}) == {}, \"{name}\");", mirror.size)?;
            for (field, offset) in mirror.fields {
                writeln!(
                    out,
                    "_Static_assert(offsetof({name}, {field}) == {offset}, \"{name}.{field}\");"
                )?;
            }
        }
        for constant in group.constants {
            equal(out, constant.name, constant.value)?;
        }
    }
    writeln!(out, "int main(void) {{ return 0; }}")
}

fn equal(out: &mut impl Write, name: &str, value: u64) -> std::io::Result<()> {
    writeln!(out, "_Static_assert((uint64_t)({name}) == {value}u, \"{name}\");")
}
