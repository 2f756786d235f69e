"""Compares what a kernel reported with what a topology file means. A finding is one line."""

import re
from collections.abc import Iterator

from qemu import Report
from topology import Topology, cpulist

# Linux's words for a table that it drops or a processor that it loses.
BAD_WORDS = [
    "SRAT not used", "looks invalid", "no nodes coverage", "nodes only cover", "No NUMA configuration found",
    "Faking a node", "multiple APIC/MADT", "llc-sibling", "Firmware Bug", "Too many proximity domains",
    "Crash kernel detected", "do_boot_cpu failed", "ACPI BIOS Error", "Call Trace",
]  # fmt: skip
REPLACED = ("APIC", "SRAT", "SLIT")
PAGE = 4096


def compare(report: Report, topology: Topology, tables: dict[str, bytes]) -> list[str]:
    """Everything in which they differ; `tables` are the emitted ones by signature."""
    return compare_kernel(report, topology) + list(_tables(report, tables))


def compare_kernel(report: Report, topology: Topology) -> list[str]:
    """What the kernel made of its tables, wherever they came from."""
    checks = (_words, _nodes, _cpus, _distances, _srat_lines, _memory)
    return [finding for check in checks for finding in check(report, topology)]


def differs(what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{what}: {found} where the description says {expected}"


def _words(report: Report, _: Topology) -> Iterator[str]:
    for line in report.dmesg.splitlines():
        if any(word in line for word in BAD_WORDS):
            yield f"bad words in dmesg: {line}"


def _node_text(report: Report, name: str) -> str:
    """A file of the node's folder, nothing where the kernel has no such node."""
    return report.text.get(f"/sys/devices/system/node/{name}", "").strip()


def _nodes(report: Report, topology: Topology) -> Iterator[str]:
    nodes = topology.nodes()
    present = {memory.pxm for memory in topology.memory if not memory.hotpluggable}
    expected = {
        "online": set(nodes.values()),
        "has_cpu": {nodes[cpu.pxm] for cpu in topology.cpus if cpu.enabled},
        "has_memory": {nodes[pxm] for pxm in present},
    }
    for name, numbers in expected.items():
        yield from differs(f"nodes, {name}", sorted(numbers), cpulist(_node_text(report, name)))
    for pxm, node in nodes.items():
        cpus = [number for number, cpu in enumerate(topology.cpus) if cpu.enabled and cpu.pxm == pxm]
        yield from differs(f"cpulist of node {node} (PXM {pxm})", cpus, cpulist(_node_text(report, f"node{node}/cpulist")))


def _cpus(report: Report, topology: Topology) -> Iterator[str]:
    enabled = {number: cpu for number, cpu in enumerate(topology.cpus) if cpu.enabled}
    yield from differs("CPUs online", sorted(enabled), cpulist(report.text["/sys/devices/system/cpu/online"].strip()))
    fields = [
        dict(re.findall(r"^([a-z_ ]+?)\s*: (.*)$", block, re.M))
        for block in report.text["/proc/cpuinfo"].strip().split("\n\n")
    ]
    for field in ("apicid", "initial apicid"):
        expected = {number: cpu.apic_id for number, cpu in enabled.items()}
        yield from differs(field, expected, {int(cpu["processor"]): int(cpu[field]) for cpu in fields})
    if topology.packages is not None:
        expected = {number: topology.packages[number] for number in enabled}
        path = "/sys/devices/system/cpu/cpu{}/topology/physical_package_id"
        found = {number: int(report.text.get(path.format(number), "-1")) for number in enabled}
        yield from differs("package by CPU", expected, found)


def _distances(report: Report, topology: Topology) -> Iterator[str]:
    nodes = topology.nodes()
    by_number = sorted(nodes, key=lambda pxm: nodes[pxm])
    for pxm, node in nodes.items():
        expected = [topology.distances[pxm, other] for other in by_number]
        found = [int(value) for value in _node_text(report, f"node{node}/distance").split()]
        yield from differs(f"distances from node {node} (PXM {pxm})", expected, found)


def _srat_lines(report: Report, topology: Topology) -> Iterator[str]:
    nodes = topology.nodes()
    found = [
        (int(pxm), int(apic_id, 16), int(node))
        for pxm, apic_id, node in re.findall(r"SRAT: PXM (\d+) -> APIC (0x[0-9a-f]+) -> Node (\d+)", report.dmesg)
    ]
    expected = [(cpu.pxm, cpu.apic_id, nodes[cpu.pxm]) for cpu in topology.cpus]
    if "Linux version 6.1." in report.dmesg or found:  # later ones print these lines for debugging only
        yield from differs("SRAT's CPUs as (PXM, id, node)", expected, found)
    found = [
        (int(node), int(pxm), int(start, 16), int(last, 16) + 1, "hotplug" in flags, "non-volatile" in flags)
        for node, pxm, start, last, flags in re.findall(
            r"SRAT: Node (\d+) PXM (\d+) \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\](.*)", report.dmesg
        )
    ]
    expected = [
        (nodes[memory.pxm], memory.pxm, memory.start, memory.end, memory.hotpluggable, memory.nonvolatile)
        for memory in topology.memory
    ]
    yield from differs("SRAT's memory as (node, PXM, start, end, hot-pluggable, non-volatile)", expected, found)


def ram(report: Report) -> list[tuple[int, int]]:
    """RAM of the firmware's map in whole pages, without the first page, which Linux reserves."""
    # "usable" up to 6.x, "System RAM" in 7.x.
    usable = re.findall(r"BIOS-e820: \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\] +(?:usable|System RAM)", report.dmesg)
    ranges = [(-(-int(start, 16) // PAGE), (int(last, 16) + 1) // PAGE) for start, last in usable]
    return [(max(start, 1), end) for start, end in ranges]


def _memory(report: Report, topology: Topology) -> Iterator[str]:
    present: dict[int, int] = {}
    for node, zone in re.findall(r"^Node (\d+), zone.*\n((?: .*\n)*)", report.text["/proc/zoneinfo"], re.M):
        pages = re.search(r"^ +present +(\d+)$", zone, re.M)
        present[int(node)] = present.get(int(node), 0) + int(pages.group(1))
    reserved = re.search(r"Memory: .* (\d+)K reserved", report.dmesg)
    if not reserved:
        yield "dmesg does not say how much memory the kernel reserved"
        return
    pieces = ram(report)
    for pxm, node in topology.nodes().items():
        expected = sum(
            max(0, min(end, memory.end // PAGE) - max(start, memory.start // PAGE))
            for memory in topology.memory
            if memory.pxm == pxm
            for start, end in pieces
        )
        yield from differs(f"pages of RAM on node {node} (PXM {pxm})", expected, present.get(node, 0))
        total = re.search(r"MemTotal: +(\d+) kB", _node_text(report, f"node{node}/meminfo"))
        lost = expected * PAGE // 1024 - int(total.group(1)) if total else -1
        if not 0 <= lost <= int(reserved.group(1)):
            yield f"MemTotal of node {node} is {lost} KiB below its RAM; the kernel reserved {reserved.group(1)} KiB in all"


def _tables(report: Report, tables: dict[str, bytes]) -> Iterator[str]:
    if sorted(tables) != sorted(REPLACED):
        yield f"the override holds {sorted(tables)} and not {sorted(REPLACED)}"
    for signature, emitted in tables.items():
        installed = report.tables.get(signature)
        if installed is None:
            yield f"{signature} is not in sysfs"
        elif installed != emitted:
            at = next((i for i, (a, b) in enumerate(zip(installed, emitted)) if a != b), min(len(installed), len(emitted)))
            yield f"{signature}: {len(installed)} bytes in sysfs, {len(emitted)} emitted, first difference at {at:#x}"
    for name in report.tables:
        if name[:4] in REPLACED and name not in REPLACED:
            yield f"{name} is in sysfs: the override was appended and not put in place"
