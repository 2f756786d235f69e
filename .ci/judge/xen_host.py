"""Debian's own Xen on a host whose SRAT and SLIT are ours: what Xen says of its nodes while it boots and when the debug
key 'u' asks it has to be what the machine is. Then SRATs with one defect: Xen has to drop those that `acpi-gen check`
says that it drops."""

import argparse
import gzip
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable

import qemu
import xen_madt
from machine import FIXTURES
from topology import cpulist
from xen import XEN_LINE
from xen_machine import DISTANCES, GIB, MACHINES, Machine, Node, add_memory, finish_table

PAGE = 4096
HOSTS = [
    MACHINES["pxm-5-0-2"],
    Machine("uneven", (Node(1, 2048, 0), Node(3, 1024, 1), Node(0, 1024, 2)), DISTANCES, own_tables=True),
]
# Then the key goes to Xen; dom0 has no disk and is not waited for.
TAKEN_FROM_DOM0 = b"\1\1\1u"


def right(machine: Machine) -> dict[str, object]:
    cpus = [machine.xen_node(node.pxm) for node in machine.node_of_cpu()]
    spans = {}
    for block in machine.blocks():
        start, _ = spans.get(machine.xen_node(block.pxm), (block.start // PAGE, 0))
        spans[machine.xen_node(block.pxm)] = (start, block.end // PAGE)
    return {
        "blocks": [(machine.xen_node(it.pxm), it.pxm, it.start, it.end - 1) for it in machine.blocks()],
        "nodes": sorted((node, start, end - start) for node, (start, end) in spans.items()),
        "node of each CPU": dict(enumerate(cpus)),
        "complaints": [],
    }


def said(console: str) -> dict[str, object]:
    number = lambda pattern, base: [tuple(int(part, base[n]) for n, part in enumerate(row)) for row in re.findall(pattern, console)]
    return {
        "blocks": number(r"(?:SRAT|NUMA): Node (\d+) PXM (\d+) \[([0-9a-f]+), ([0-9a-f]+)\]", (10, 10, 16, 16)),
        "nodes": number(r"NODE(\d+) start->(\d+) size->(\d+)", (10, 10, 10)),
        "node of each CPU": {
            cpu: int(node)
            for first, last, node in re.findall(r"CPU(\d+)(?:\.\.\.(\d+))? -> NODE(\d+)", console)
            for cpu in cpulist(f"{first}-{last or first}")
        },
        "complaints": re.findall(r".*(?:SLIT table looks invalid|SRAT not used|No NUMA configuration|overlaps with|not used).*", console),
    }


def qssc_s4r(srat: bytearray, order: Callable[[bytes], int]) -> None:
    """The SRAT of a machine whose nodes have windows past the RAM of all nodes, its entries in this order and else by
    address."""
    golden = (FIXTURES.parent / "golden" / "qssc-s4r" / "srat.dat").read_bytes()
    entries, at = [], 48
    while at < len(golden):
        entries.append(golden[at : at + golden[at + 1]])
        at += golden[at + 1]
    srat[:] = golden[:48] + b"".join(sorted(entries, key=order))
    finish_table(srat)


def conflicts(text: str) -> set[tuple[int, ...]]:
    """Domains and block of each interleaving in Xen's words."""
    found = re.findall(r"PXM (\d+): \[.*\] interleaves with PXM (\d+) memblk \[([0-9a-f]+), ([0-9a-f]+)\]", text)
    return {(int(around), int(domain), int(start, 16), int(end, 16)) for around, domain, start, end in found}


def checked_conflicts(text: str) -> set[tuple[int, ...]]:
    """The same in the words of `check`."""
    found = re.findall(r"\[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\] of PXM (\d+) lies inside PXM (\d+)", text)
    return {(int(around), int(domain), int(start, 16), int(end, 16)) for start, end, domain, around in found}


# Of the machine pxm-5-0-2, whose RAM ends below 6 GiB: what is added to its SRAT, and whether Xen then drops it.
DEFECTS: dict[str, tuple[bool, Callable[[bytearray], None]]] = {
    "a window of the last node": (False, lambda srat: add_memory(srat, 2, 8 * GIB, 9 * GIB, 3)),
    "a window of the first node": (True, lambda srat: add_memory(srat, 5, 8 * GIB, 9 * GIB, 3)),
    "a window overlaps memory of its node": (
        True, lambda srat: [add_memory(srat, 2, 8 * GIB, 10 * GIB, 3), add_memory(srat, 2, 9 * GIB, 11 * GIB, 1)]),
    "two nodes overlap in a hole": (
        True, lambda srat: [add_memory(srat, 5, 0xF0000000, 0xF2000000, 1), add_memory(srat, 0, 0xF1000000, 0xF3000000, 1)]),
    "two nodes overlap in RAM": (True, lambda srat: add_memory(srat, 0, 0x1000000, 0x2000000, 1)),
    "an entry passes 2^64": (False, lambda srat: add_memory(srat, 2, 8 * GIB, 8 * GIB + (1 << 64) - PAGE, 1)),
    "65 nodes": (True, lambda srat: [add_memory(srat, 100 + node, (8 + node) * GIB, (9 + node) * GIB, 1) for node in range(62)]),
    "windows past all RAM by address": (True, lambda srat: qssc_s4r(srat, lambda entry: 0)),
    "windows past all RAM by node": (True, lambda srat: qssc_s4r(srat, lambda entry: entry[2] if entry[0] == 1 else -1)),
    "windows past all RAM listed first": (False, lambda srat: qssc_s4r(srat, lambda entry: entry[0] == 1 and entry[28] == 1)),
}  # fmt: skip


def judge_defects(version: str, hypervisor: pathlib.Path, kernel: pathlib.Path, acpi_gen: pathlib.Path, out: pathlib.Path) -> bool:
    machine, good = MACHINES["pxm-5-0-2"], True

    def boot(name: str) -> tuple[str, subprocess.CompletedProcess]:
        """What the console says, and what `check` does."""
        folder = out / f"{version}-{name.replace(' ', '-')}"
        machine.make_tables(acpi_gen, folder)
        srat = bytearray((folder / "srat.dat").read_bytes())
        DEFECTS[name][1](srat)
        (folder / "srat.dat").write_bytes(srat)
        command = ["qemu-system-x86_64", *machine.qemu(folder), "-kernel", str(hypervisor), "-initrd", str(kernel),
                   "-append", f"{XEN_LINE} dom0=pvh dom0_mem=512M noreboot"]  # fmt: skip
        console = qemu.talk(command, folder, [("Brought up", b"")])
        return console, subprocess.run([acpi_gen, "check", folder / "srat.dat", "--for", "xen"], capture_output=True, text=True)

    for name, result in qemu.side_by_side(boot, list(DEFECTS)):
        console, check = result()
        does, says, expected = bool(re.search("SRAT not used", console)), check.returncode == 1, DEFECTS[name][0]
        agree = does == says == expected and conflicts(console) == checked_conflicts(check.stdout)
        good &= agree
        print(f"Xen {version} {name:36} drops the SRAT: {does}, check says {says}: {'ok' if agree else 'FAILED'}", flush=True)
        if not agree:
            print(check.stdout, *re.findall(r".*(?:SRAT|NUMA).*", console), sep="\n    ")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True, help="a vmlinuz for dom0")
    parser.add_argument("--xen", action="append", required=True, metavar="VERSION=FILE.gz")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    hypervisors = {}
    for version, _, file in (pair.partition("=") for pair in options.xen):
        hypervisors[version] = options.out / f"xen-{version}"
        options.out.mkdir(parents=True, exist_ok=True)
        hypervisors[version].write_bytes(gzip.decompress(pathlib.Path(file).read_bytes()))

    def boot(case: tuple[str, Machine]) -> str:
        """What the console says."""
        version, machine = case
        out = options.out / f"{version}-{machine.name}"
        machine.make_tables(options.acpi_gen, out)
        command = ["qemu-system-x86_64", *machine.qemu(out), "-kernel", str(hypervisors[version]), "-initrd", str(options.kernel),
                   "-append", f"{XEN_LINE} dom0=pvh dom0_mem=512M noreboot"]  # fmt: skip
        return qemu.talk(command, out, [("*** Serial input to DOM0", TAKEN_FROM_DOM0), ("Memory location of each domain", b"")])

    good = True
    for (version, machine), result in qemu.side_by_side(boot, [(version, machine) for version in hypervisors for machine in HOSTS]):
        console = result()
        found, expected = said(console), right(machine)
        findings = [f"{what}: {found[what]} where {value} is right" for what, value in expected.items() if found[what] != value]
        for name in ("SRAT", "SLIT"):
            if not re.search(rf"ACPI: {name} .*\(r\d +XEN ", console):
                findings.append(f"Xen does not name our {name}")
        print(f"Xen {version} {machine.name:10} {len(expected['nodes'])} nodes: {'FAILED' if findings else 'ok'}", *findings, sep="\n    ", flush=True)
        good &= not findings
    for version, hypervisor in hypervisors.items():
        good &= judge_defects(version, hypervisor, options.kernel, options.acpi_gen, options.out)
        good &= xen_madt.judge(version, hypervisor, options.kernel, options.acpi_gen, options.out)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
