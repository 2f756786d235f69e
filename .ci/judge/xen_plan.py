"""Compares what a PVH dom0 got with `acpi-gen plan` for the same host: its memory map, its RAM below 4 GiB, and its pages
by node."""

import json
import pathlib
import re
import subprocess
from collections.abc import Iterator

from compare import PAGE, differs
from topology import Topology
from xen import Boot
from xen_machine import GIB, Machine

# dom0's RAM that Xen takes for tables: at most a few pages.
MOST_FOR_TABLES = 64 << 10


def compare_plan(boot: Boot, machine: Machine, expected: Topology, out: pathlib.Path, acpi_gen: pathlib.Path) -> Iterator[str]:
    """All of the plan, for a dom0 that has vNUMA."""
    made = plan(boot, machine, len(expected.cpus), out, acpi_gen)
    if isinstance(made, str):
        yield made
    else:
        yield from memory_map(boot, made)
        yield from low_ram(boot, made)
        yield from _pages(boot, machine, expected, made)


def _host_ram(boot: Boot) -> list[tuple[int, int, str]]:
    """The host's memory map as Xen's log has it: "Xen-e820", or "EFI" where firmware started it."""
    lines, found = boot.xen(), []
    start = next((at for at, line in enumerate(lines) if line.endswith(" RAM map:")), 0)
    for line in lines[start + 1 :]:
        match = re.match(r" *\[([0-9a-f]+), ([0-9a-f]+)\] \((.*)\)", line)
        if not match:
            break
        found.append((int(match[1], 16), int(match[2], 16) + 1, match[3]))
    return found


def _host_toml(boot: Boot, machine: Machine, vcpus: int, nr_pages: int, modules: int) -> str:
    """The host for `acpi-gen plan`: Xen's memory map, and the machine. Nodes are numbered as Xen does."""
    kinds = {"usable": "ram", "reserved": "reserved", "ACPI data": "acpi", "ACPI NVS": "nvs", "unusable": "unusable"}
    text = f'cpu_to_node = {[machine.xen_node(node.pxm) for node in machine.node_of_cpu()]}\n'
    text += f"node_to_pxm = {machine.xen_nodes()}\n"
    rows = [[machine.distance(a, b) for b in machine.xen_nodes()] for a in machine.xen_nodes()]
    text += f"distances = {rows}\n[dom0]\nmode = \"pvh\"\npinned = true\nvcpus = {vcpus}\n"
    text += f"nr_pages = {nr_pages}\n"
    # What is kept follows from it by the library's policy, in Xen and in the command.
    text += f"modules = {modules}\n"
    for start, end, kind in _host_ram(boot):
        text += f'[[e820]]\nstart = {start:#x}\nend = {end:#x}\ntype = "{kinds[kind]}"\n'
    for block in machine.blocks():
        text += f"[[memblk]]\nstart = {block.start:#x}\nend = {block.end:#x}\nnode = {machine.xen_node(block.pxm)}\n"
        text += f"hotplug = {str(block.hotpluggable).lower()}\n"
    return text


def plan(boot: Boot, machine: Machine, vcpus: int, out: pathlib.Path, acpi_gen: pathlib.Path) -> dict | str:
    """The plan of a pinned dom0 for as many pages as Xen says to share, or why there is none."""
    shared = re.search(r"vNUMA: dom0's (\d+) pages are shared .* with (0x[0-9a-f]+) bytes of modules", "\n".join(boot.xen()))
    if not shared:
        return "Xen does not say how many pages dom0 has"
    host = out / "host.toml"
    host.write_text(_host_toml(boot, machine, vcpus, int(shared[1]), int(shared[2], 16)))
    done = subprocess.run([acpi_gen, "plan", host, "--json"], capture_output=True, text=True)
    if done.returncode:
        return f"acpi-gen plan: {done.stderr.strip()}"
    return json.loads(done.stdout) | {"nr_pages": int(shared[1])}


def memory_map(boot: Boot, made: dict, lost: int = 0) -> Iterator[str]:
    """dom0's RAM is the plan's, less the tables that Xen has put into it; `lost` bytes behind them may be nothing at all."""
    regions = re.findall(r"BIOS-e820: \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\] +(usable|ACPI data)", boot.report.dmesg)
    found = sorted((int(start, 16), int(last, 16) + 1, kind) for start, last, kind in regions)
    # From 6.12 on a PVH dom0 takes unusable ranges for RAM, which it reserves for foreign pages. Linux xen_init_pvh().
    version = re.search(r"Linux version (\d+)\.(\d+)", boot.report.dmesg)
    kinds = ("ram", "unusable") if tuple(map(int, version.groups())) >= (6, 12) else ("ram",)
    planned: list[tuple[int, int]] = []
    for region in made["e820"]:
        if region["type"] in kinds:
            adjoins = planned and planned[-1][1] == region["start"]
            planned.append((planned.pop()[0] if adjoins else region["start"], region["end"]))
    tables = 0
    for start, end in planned:
        inside = [(a, b, kind) for a, b, kind in found if start <= a and b <= end]
        tables += sum(b - a for a, b, kind in inside if kind == "ACPI data")
        edges = [edge for a, b, _ in inside for edge in (a, b)]
        whole = edges[:1] == [start] and edges[1:-1:2] == edges[2::2] and end - lost <= edges[-1] <= end
        if not whole:
            yield f"dom0's map has {[(hex(a), hex(b), kind) for a, b, kind in inside]} where the plan has RAM of {start:#x}-{end:#x}"
    outside = [(a, b) for a, b, kind in found if kind == "usable" and not any(start <= a and b <= end for start, end in planned)]
    yield from differs("RAM of dom0's that the plan does not have", [], outside)
    if not 0 < tables <= MOST_FOR_TABLES:
        yield f"{tables} bytes of dom0's RAM are taken for tables"


def low_ram(boot: Boot, made: dict) -> Iterator[str]:
    """dom0's RAM below 4 GiB: half of it, at most 2 GiB, as far as the host has as much; less the tables."""
    page = lambda address: min(address, 4 * GIB) // PAGE
    below = lambda ranges: sum(max(0, page(end) - page(start + PAGE - 1)) for start, end in ranges)
    host = below((start, end) for start, end, kind in _host_ram(boot) if kind == "usable")
    floor = min(made["nr_pages"] // 2, 2 * GIB // PAGE, host)
    found = re.findall(r"BIOS-e820: \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\] +usable", boot.report.dmesg)
    low = below((int(start, 16), int(last, 16) + 1) for start, last in found)
    if low + MOST_FOR_TABLES // PAGE < floor:
        yield f"dom0 has {low} pages of RAM below 4 GiB where {floor} less the tables are the least"
    planned = below((region["start"], region["end"]) for region in made["e820"] if region["type"] == "ram")
    said = re.findall(r"vNUMA: dom0's pages below 4GiB: (\d+) >= (\d+)", "\n".join(boot.xen()))
    yield from differs("RAM below 4 GiB and its least, as Xen says", [(str(planned), str(floor))], said)


def _pages(boot: Boot, machine: Machine, expected: Topology, made: dict) -> Iterator[str]:
    """Xen's count of dom0's pages by node."""
    text = "\n".join(boot.xen())
    own = re.search(r"vNUMA: pages from their node: (\d+), of them from its DMA reserve: (\d+)", text)
    if not own:
        yield "Xen does not say from where dom0's pages are"
        return
    fallbacks = made["nr_pages"] - int(own[1])
    warned = re.search(r"vNUMA: pages from another node than SRAT says: (\d+)", text)
    yield from differs("counted fallbacks", fallbacks, int(warned[1]) if warned else 0)
    planned: dict[int, int] = {}
    for row in made["allocations"]:
        planned[row["pnode"]] = planned.get(row["pnode"], 0) + (row["count"] << row["order"])
    # Linux puts the shared info in the place of a page of its low memory, which Xen then takes back.
    planned[machine.xen_node(expected.memory[0].pxm)] -= 1
    missed = {int(node): int(pages) for pages, node in re.findall(r"vNUMA:  (\d+) pages that belong on node (\d+)", text)}
    yield from differs("fallbacks, node by node", fallbacks, sum(missed.values()))
    found, gained = boot.debug_key(0)[0], 0
    for node in sorted(planned | found | missed):
        # Where a node had none left, the page came from one that had.
        more = found.get(node, 0) - (planned.get(node, 0) - missed.get(node, 0))
        gained += more
        if more < 0 or more > fallbacks - missed.get(node, 0):
            yield f"Xen's node {node}: {found.get(node, 0)} pages of dom0 where the plan says {planned.get(node, 0)}, less {missed.get(node, 0)} fallbacks"
    yield from differs("pages from other nodes", fallbacks, gained)
