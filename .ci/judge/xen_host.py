"""Debian's own Xen on a host whose SRAT and SLIT are ours: what Xen says of its nodes while it boots and when the debug
key 'u' asks it has to be what the machine is."""

import argparse
import gzip
import pathlib
import re
import sys

import qemu
from topology import cpulist
from xen import XEN_LINE
from xen_machine import DISTANCES, MACHINES, Machine, Node

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True, help="a vmlinuz for dom0")
    parser.add_argument("--xen", action="append", required=True, metavar="VERSION=FILE.gz")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()

    def boot(case: tuple[str, str, Machine]) -> str:
        """What the console says."""
        version, file, machine = case
        out = options.out / f"{version}-{machine.name}"
        machine.make_tables(options.acpi_gen, out)
        hypervisor = out / "xen"
        hypervisor.write_bytes(gzip.decompress(pathlib.Path(file).read_bytes()))
        command = ["qemu-system-x86_64", *machine.qemu(out), "-kernel", str(hypervisor), "-initrd", str(options.kernel),
                   "-append", f"{XEN_LINE} dom0=pvh dom0_mem=512M noreboot"]  # fmt: skip
        return qemu.talk(command, out, [("*** Serial input to DOM0", TAKEN_FROM_DOM0), ("Memory location of each domain", b"")])

    good = True
    cases = [(version, file, machine) for version, _, file in (pair.partition("=") for pair in options.xen) for machine in HOSTS]
    for (version, _, machine), result in qemu.side_by_side(boot, cases):
        console = result()
        found, expected = said(console), right(machine)
        findings = [f"{what}: {found[what]} where {value} is right" for what, value in expected.items() if found[what] != value]
        for name in ("SRAT", "SLIT"):
            if not re.search(rf"ACPI: {name} .*\(r\d +XEN ", console):
                findings.append(f"Xen does not name our {name}")
        print(f"Xen {version} {machine.name:10} {len(expected['nodes'])} nodes: {'FAILED' if findings else 'ok'}", *findings, sep="\n    ", flush=True)
        good &= not findings
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
