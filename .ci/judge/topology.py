"""What a topology file means, read a second time from the format's description alone. Nothing of the
project's own programs is used, so that a mistake of theirs cannot hide in what they are compared with."""

import dataclasses
import pathlib
import tomllib

UNITS = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}


@dataclasses.dataclass
class Cpu:
    pxm: int
    apic_id: int
    enabled: bool


@dataclasses.dataclass(frozen=True)
class Memory:
    start: int
    end: int
    pxm: int
    hotpluggable: bool
    nonvolatile: bool


@dataclasses.dataclass
class Topology:
    cpus: list[Cpu]  # by vCPU number
    memory: list[Memory]  # by address
    distances: dict[tuple[int, int], int]  # (from, to) by PXM
    package_ids: bool
    hybrid: bool
    minor: int  # of the ACPI version
    oem: dict
    ioapics: list[dict]
    overrides: list[dict]
    nmis: list[dict]

    def nodes(self) -> dict[int, int]:
        """PXM -> Linux's node number: counted in the order in which the SRAT names them."""
        order = [cpu.pxm for cpu in self.cpus] + [memory.pxm for memory in self.memory]
        return {pxm: node for node, pxm in enumerate(dict.fromkeys(order))}

    def slit(self) -> list[int]:
        """All cells up to the highest PXM."""
        domains = range(max(pxm for pxm, _ in self.distances) + 1)
        return [self.distances.get((a, b), 10 if a == b else 20) for a in domains for b in domains]


def number(value: int | str) -> int:
    if isinstance(value, int):
        return value
    for unit, shift in UNITS.items():
        if value.endswith(unit):
            return int(value.removesuffix(unit), 0) << shift
    return int(value, 0)


def cpulist(text: str) -> list[int]:
    runs = [part.split("-") for part in text.split(",")] if text else []
    return [cpu for run in runs for cpu in range(int(run[0]), int(run[-1]) + 1)]


def _memory(entry: str | dict, pxm: int) -> Memory:
    if isinstance(entry, str):
        start, end = (number(side.strip()) for side in entry.split("-"))
        entry = {}
    else:
        start = number(entry["start"])
        end = number(entry["end"]) if "end" in entry else start + number(entry["size"])
    return Memory(start, end, pxm, entry.get("hotpluggable", False), entry.get("nonvolatile", False))


def _package_ids(groups: list[tuple[int, list[int]]], stride: int) -> dict[int, int]:
    """vCPU -> (PXM << shift) | place in the node * stride; the shift is what the largest node takes."""
    largest = max(len(cpus) for _, cpus in groups)
    shift = (stride * largest - 1).bit_length()
    return {cpu: pxm << shift | place * stride for pxm, cpus in groups for place, cpu in enumerate(sorted(cpus))}


def _apic_ids(nodes: list[dict], apic: dict) -> dict[int, int]:
    groups = [(node["pxm"], cpulist(node.get("cpus", "")) + cpulist(node.get("cpus_hotplug", ""))) for node in nodes]
    encoding = apic.get("encoding", "package")
    if encoding == "legacy":
        return {cpu: 2 * cpu for _, cpus in groups for cpu in cpus}
    if encoding == "explicit":
        explicit = [(cpus, node.get("apic_ids", [])) for node, (_, cpus) in zip(nodes, groups)]
        return {cpu: number(apic_id) for cpus, ids in explicit for cpu, apic_id in zip(cpus, ids, strict=True)}
    if encoding != "package":
        raise ValueError(f"unknown encoding {encoding}")
    stride = apic.get("stride", "auto")
    ids = _package_ids(groups, 2 if stride == "auto" else stride)
    return _package_ids(groups, 1) if stride == "auto" and max(ids.values()) > 254 else ids


def _distances(pxms: list[int], table: dict) -> dict[tuple[int, int], int]:
    if "matrix" in table:
        rows = zip(pxms, table["matrix"], strict=True)
        given = {(a, b): cell for a, row in rows for b, cell in zip(pxms, row, strict=True)}
    else:
        given = {(int(a), int(b)): cell for a, row in table.items() for b, cell in row.items()}
    cells = {pair: 255 if cell == "unreachable" else min(number(cell), 254) for pair, cell in given.items()}
    return {(a, b): cells.get((a, b), 10 if a == b else 20) for a in pxms for b in pxms}


def read(path: pathlib.Path) -> Topology:
    document = tomllib.loads(path.read_text())
    nodes, apic = document["node"], document.get("apic", {})
    ids = _apic_ids(nodes, apic)
    cpus = {}
    for node in nodes:
        for key, enabled in (("cpus", True), ("cpus_hotplug", False)):
            cpus |= {cpu: Cpu(node["pxm"], ids[cpu], enabled) for cpu in cpulist(node.get(key, ""))}
    memory = [_memory(entry, node["pxm"]) for node in nodes for entry in node.get("memory", [])]
    return Topology(
        cpus=[cpus[cpu] for cpu in range(len(cpus))],
        memory=sorted(memory, key=lambda memory: memory.start),
        distances=_distances([node["pxm"] for node in nodes], document.get("distance", {})),
        package_ids=apic.get("encoding", "package") == "package",
        hybrid=apic.get("entries", "x2apic") == "hybrid",
        minor=int(document.get("acpi", "6.5").removeprefix("6.")),
        oem={"id": "XEN", "table_id": "VNUMA", "revision": 1} | document.get("oem", {}),
        ioapics=document.get("ioapic", []),
        overrides=document.get("override", []),
        nmis=document.get("nmi", []),
    )
