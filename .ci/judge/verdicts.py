"""`check` says what Linux does: tables with one defect each go to a booted kernel and to `acpi-gen check`,
and both have to refuse them, or both to take them."""

import argparse
import pathlib
import re
import shutil
import struct
import subprocess
import sys

import cpio
import qemu
from boots import emitted_tables, override
from compare import BAD_WORDS
from machine import FIXTURES, dump, machines

SRAT_ENTRIES, SLIT_CELLS = 48, 44


def summed(table: bytearray) -> bytes:
    """With length and checksum made right."""
    table[4:8] = struct.pack("<I", len(table))
    table[9] = 0
    table[9] = -sum(table) & 0xFF
    return bytes(table)


def memory_entries(srat: bytearray) -> list[int]:
    """Offsets of the memory affinity structures."""
    found, at = [], SRAT_ENTRIES
    while at < len(srat):
        if srat[at] == 1:
            found.append(at)
        at += srat[at + 1]
    return found


def without_last_memory(srat: bytearray) -> bytearray:
    return srat[: memory_entries(srat)[-1]]


def overlapping(srat: bytearray) -> bytearray:
    """The second range starts where the first one does."""
    first, second = memory_entries(srat)[:2]
    srat[second + 8 : second + 16] = srat[first + 8 : first + 16]
    return srat


def short_entry(srat: bytearray) -> bytearray:
    """The last memory entry has 16 bytes."""
    last = memory_entries(srat)[-1]
    srat[last + 1] = 16
    return srat[: last + 16]


def high_domain(srat: bytearray) -> bytearray:
    """A memory entry in proximity domain 5,000."""
    last = memory_entries(srat)[-1]
    srat[last + 2 : last + 6] = struct.pack("<I", 5000)
    return srat


def remote_at_10(slit: bytearray) -> bytearray:
    slit[SLIT_CELLS + 2] = 10
    return slit


def diagonal_20(slit: bytearray) -> bytearray:
    slit[SLIT_CELLS] = 20
    return slit


COVERAGE = "a node's memory is missing"
DEFECTS = {
    "none": ("SRAT", lambda srat: srat),
    COVERAGE: ("SRAT", without_last_memory),
    "two nodes overlap": ("SRAT", overlapping),
    "a memory entry of 16 bytes": ("SRAT", short_entry),
    "proximity domain 5000": ("SRAT", high_domain),
    "distance 10 to another node": ("SLIT", remote_at_10),
    "diagonal of 20": ("SLIT", diagonal_20),
}


def archive_of(tables: dict[str, bytes]) -> bytes:
    folders = {name: (0o040755, b"") for name in ("kernel", "kernel/firmware", "kernel/firmware/acpi")}
    return cpio.pack(folders | {f"kernel/firmware/acpi/{name}.aml": (0o100644, table) for name, table in tables.items()})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--busybox", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    initramfs = cpio.initramfs(options.busybox)
    (machine,) = machines(FIXTURES, ["gaps"])
    dump(machine, options.kernel, initramfs, options.out)
    tables = emitted_tables(override(options.acpi_gen, machine, options.out))
    good = True
    for number, (what, (signature, defect)) in enumerate(DEFECTS.items()):
        out = options.out / str(number)
        folder = out / "tables"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(options.out / "machine", folder)
        changed = tables | {signature: summed(defect(bytearray(tables[signature])))}
        for name, table in changed.items():
            (folder / name).write_bytes(table)
        initrd = out / "initrd"
        initrd.write_bytes(archive_of(changed) + initramfs)
        report = qemu.boot(machine.command, options.kernel, initrd, out)
        log = out / "dmesg.txt"
        log.write_text(report.dmesg)
        command = [options.acpi_gen, "check", folder, "--for", "linux", "--memory-map", log]
        run = subprocess.run(command, capture_output=True, text=True)
        said = [line for line in report.dmesg.splitlines() if any(word in line for word in BAD_WORDS)]
        wanted = 0 if what == "none" else 1
        agree = run.returncode == wanted and bool(said) == bool(wanted)
        if what == COVERAGE:  # the one finding that quotes the kernel, with its numbers
            quoted = re.findall(r'\("(.*?)"\)', run.stdout)
            agree &= bool(quoted) and all(words in report.dmesg for words in quoted)
        good &= agree
        print(f"{what}: {'ok' if agree else 'FAILED'}")
        for line in [f"Linux: {line}" for line in said] + [f"check: {line}" for line in (run.stdout + run.stderr).splitlines()]:
            print(f"    {line}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
