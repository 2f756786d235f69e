"""Boots Debian's kernels on the machines of fixtures/qemu with tables that acpi-gen made for them,
and compares what each kernel says with the description."""

import argparse
import copy
import dataclasses
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import cpio
import qemu
from compare import PAGE, compare
from machine import FIXTURES, Machine, dump, machines
from topology import Topology, read


def override(acpi_gen: pathlib.Path, machine: Machine, out: pathlib.Path) -> bytes:
    """The archive that `acpi-gen initrd` makes for this machine."""
    archive = out / "override.cpio"
    command = [acpi_gen, "initrd", machine.topology, "--out", archive, "--machine", out / "machine"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return archive.read_bytes()


def emitted_tables(archive: bytes) -> dict[str, bytes]:
    """Signature -> table, as the archive holds them."""
    files = cpio.unpack(archive)
    if not all(name.startswith("kernel/firmware/acpi/") for name in files):
        raise ValueError(f"files that Linux does not look for: {sorted(files)}")
    return {table[:4].decode(): table for table in files.values()}


def mutations(expected: Topology, tables: dict[str, bytes]) -> Iterator[tuple[str, Topology, dict[str, bytes]]]:
    """Descriptions and tables that are wrong in one thing, all of which a good boot contradicts."""
    for pair in expected.distances:
        yield f"distance {pair}", dataclasses.replace(expected, distances=expected.distances | {pair: 99}), tables
    for number, cpu in enumerate(expected.cpus):
        for pxm in [*(set(expected.nodes()) - {cpu.pxm}), 99]:
            wrong = copy.deepcopy(expected)
            wrong.cpus[number].pxm = pxm
            wrong.distances |= {(a, b): 99 for a in wrong.nodes() for b in wrong.nodes()}
            yield f"vCPU {number} on PXM {pxm}", wrong, tables
        wrong = copy.deepcopy(expected)
        wrong.cpus[number].apic_id ^= 1
        yield f"id of vCPU {number}", wrong, tables
    for index, memory in enumerate(expected.memory):
        wrong = copy.deepcopy(expected)
        wrong.memory[index] = dataclasses.replace(memory, end=memory.end - PAGE)
        yield f"end of memory range {index}", wrong, tables
    for signature, table in tables.items():
        for at in (0, len(table) - 1):
            flipped = table[:at] + bytes([table[at] ^ 1]) + table[at + 1 :]
            yield f"byte {at} of {signature}", expected, tables | {signature: flipped}


def judge(machine: Machine, kernels: dict[str, pathlib.Path], acpi_gen: pathlib.Path, initramfs: bytes, out: pathlib.Path) -> tuple[bool, list[str]]:
    """All boots of one machine: whether no kernel contradicts the description, and what to print."""
    good, lines = True, []
    dump(machine, next(iter(kernels.values())), initramfs, out)
    archive = override(acpi_gen, machine, out)
    initrd = out / "initrd"
    initrd.write_bytes(archive + initramfs)
    tables = emitted_tables(archive)
    expected = read(machine.topology)
    for name, kernel in kernels.items():
        report = qemu.boot(machine.command, kernel, initrd, out / name)
        findings = compare(report, expected, tables)
        survived = [what for what, *wrong in mutations(expected, tables) if not compare(report, *wrong)]
        findings += [f"a wrong description passes too: {what}" for what in survived]
        lines += [f"{machine.name:14} {name:8} {report.seconds:5.1f} s  {len(expected.cpus):3} CPUs on {len(expected.nodes())} nodes,"
                  f" {len(list(mutations(expected, tables)))} wrong descriptions told apart: {'FAILED' if findings else 'ok'}"]  # fmt: skip
        lines += [f"    {finding}" for finding in findings]
        good &= not findings
    return good, lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True, help="the program under test")
    parser.add_argument("--busybox", type=pathlib.Path, required=True, help="a static busybox")
    parser.add_argument("--kernel", action="append", required=True, metavar="NAME=VMLINUZ")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for logs and archives")
    parser.add_argument("machine", nargs="*", help="names of fixtures/qemu; none: all")
    options = parser.parse_args()
    kernels = {name: pathlib.Path(path) for name, _, path in (text.partition("=") for text in options.kernel)}
    initramfs = cpio.initramfs(options.busybox)
    good = True
    run = lambda machine: judge(machine, kernels, options.acpi_gen, initramfs, options.out / machine.name)
    for machine, result in qemu.side_by_side(run, machines(FIXTURES, options.machine)):
        try:
            fine, lines = result()
            good &= fine
            print(*lines, sep="\n", flush=True)
        except (qemu.BootFailed, subprocess.CalledProcessError) as error:
            print(f"{machine.name:14} FAILED: {error}", flush=True)
            good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
