#!/usr/bin/env python3
"""Prints a C file that asserts, against Xen's own header, the sizes and offsets that pvh-loader asserts
of its structures at compile time, and its numbers."""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "pvh-loader" / "src"
STRUCTS = {"StartInfo": "hvm_start_info", "ModuleEntry": "hvm_modlist_entry", "MapEntry": "hvm_memmap_table_entry"}
FIELDS = {"kind": "type"}  # a word of Rust


def main() -> int:
    text = (SOURCE / "start_info.rs").read_text()
    checks = []
    for name, size, fields in re.findall(r"layout!\((\w+): (\d+) \{(.*?)\}\)", text, re.S):
        struct = f"struct {STRUCTS.pop(name)}"
        checks.append(f"sizeof({struct}) == {size}")
        for field, offset in re.findall(r"(\w+) @ (\d+)", fields):
            checks.append(f"offsetof({struct}, {FIELDS.get(field, field)}) == {offset}")
    if STRUCTS:
        sys.exit(f"start_info.rs has no layout of {', '.join(STRUCTS)}")
    magic = re.search(r"START_MAGIC: u32 = (0x[0-9a-f_]+)", text)[1].replace("_", "")
    checks.append(f"XEN_HVM_START_MAGIC_VALUE == {magic}")
    for kind, value in re.findall(r"pub const (\w+): Self = Self\((\d)\);", (SOURCE / "region.rs").read_text()):
        checks.append(f"XEN_HVM_MEMMAP_TYPE_{kind} == {value}")
    kernel = (SOURCE / "kernel.rs").read_text()
    for note, value in re.findall(r"const (PHYS32_\w+): u32 = (\d+);", kernel):
        checks.append(f"XEN_ELFNOTE_{note} == {value}")
    print("#include <stddef.h>\n#include <stdint.h>\n#include <xen/xen.h>")
    print("#include <xen/arch-x86/hvm/start_info.h>\n#include <xen/elfnote.h>")
    for check in checks:
        print(f'_Static_assert({check}, "{check}");')
    return 0


if __name__ == "__main__":
    sys.exit(main())
