//! Prints a C program that a compiler accepts only where Xen's public headers have the
//! sizes, offsets and numbers that this crate has. With the argument `hv-glue`, the
//! structures and numbers of hv-glue's own public header are in it, too; it has to stand
//! among Xen's as `xen/hv_glue.h`.

use std::io::Write;

fn is_ours(name: &str) -> bool {
    let ours = ["get_vcpu_apicids", "get_mfn_pxms", "vnuma_apic_topology"];
    ours.iter().any(|part| name.contains(part))
}

fn main() -> std::io::Result<()> {
    let hv_glue = std::env::args().nth(1).is_some_and(|argument| argument == "hv-glue");
    let mut out = std::io::stdout().lock();
    writeln!(out, "#include <stddef.h>\n#include <stdint.h>")?;
    for header in
        ["domctl", "sysctl", "memory", "hvm/hvm_op", "hvm/params", "hvm/save", "arch-x86/cpuid"]
    {
        writeln!(out, "#include <xen/{header}.h>")?;
    }
    if hv_glue {
        writeln!(out, "#include <xen/hv_glue.h>")?;
    }
    for code in ["END", "HEADER", "CPU", "LAPIC_REGS", "MTRR"] {
        writeln!(out, "#define HVM_SAVE_CODE_{code} HVM_SAVE_CODE({code})")?;
    }
    let wanted = |name: &str| hv_glue || !is_ours(name);
    for mirror in xen_hypercall::mirrors() {
        let name = mirror.c_type;
        if !wanted(name) {
            continue;
        }
        writeln!(out, "_Static_assert(sizeof({name}) == {}, \"{name}\");", mirror.size)?;
        for (field, offset) in mirror.fields {
            writeln!(
                out,
                "_Static_assert(offsetof({name}, {field}) == {offset}, \"{name}.{field}\");"
            )?;
        }
    }
    for constant in xen_hypercall::constants() {
        let (name, value) = (constant.name, constant.value);
        if wanted(name) {
            writeln!(out, "_Static_assert((uint64_t)({name}) == {value}u, \"{name}\");")?;
        }
    }
    writeln!(out, "int main(void) {{ return 0; }}")
}
