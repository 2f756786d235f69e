"""What a topology file means, read here a second time from the format's text alone: nothing of the
project's own programs is used, so that a mistake of theirs cannot hide in what they are compared with."""

import dataclasses
import pathlib
import re
import tomllib

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


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

    def nodes(self) -> dict[int, int]:
        """PXM -> Linux's node number: counted in the order in which the SRAT names them."""
        order = [cpu.pxm for cpu in self.cpus] + [memory.pxm for memory in self.memory]
        return {pxm: node for node, pxm in enumerate(dict.fromkeys(order))}


def number(value: int | str) -> int:
    if isinstance(value, int):
        return value
    digits, unit = re.fullmatch(r"(0x[0-9a-fA-F_]+|[0-9_]+)(KiB|MiB|GiB|TiB)?", value.strip()).groups()
    return int(digits, 0) * UNITS.get(unit, 1)


def cpulist(text: str) -> list[int]:
    numbers = []
    for part in filter(None, text.replace(" ", "").split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def _memory(entry: str | dict, pxm: int) -> Memory:
    if isinstance(entry, str):
        start, end = (number(side) for side in entry.split("-"))
        entry = {}
    else:
        start = number(entry["start"])
        end = number(entry["end"]) if "end" in entry else start + number(entry["size"])
    return Memory(start, end, pxm, entry.get("hotpluggable", False), entry.get("nonvolatile", False))


def _package_ids(groups: list[tuple[int, list[int]]], stride: int) -> dict[int, int]:
    """vCPU -> (pxm << shift) | place in the node * stride; the shift holds the largest node."""
    largest = max(len(cpus) for _, cpus in groups)
    shift = (stride * largest - 1).bit_length()
    return {cpu: pxm << shift | place * stride for pxm, cpus in groups for place, cpu in enumerate(sorted(cpus))}


def _apic_ids(nodes: list[dict], apic: dict) -> dict[int, int]:
    groups = [(node["pxm"], cpulist(node.get("cpus", "")) + cpulist(node.get("cpus_hotplug", ""))) for node in nodes]
    match apic.get("encoding", "package"):
        case "legacy":
            return {cpu: 2 * cpu for _, cpus in groups for cpu in cpus}
        case "explicit":
            return {cpu: id for node, (_, cpus) in zip(nodes, groups) for cpu, id in zip(cpus, node.get("apic_ids", []), strict=True)}
        case "package":
            stride = apic.get("stride", "auto")
            if stride != "auto":
                return _package_ids(groups, stride)
            wide = _package_ids(groups, 2)
            return wide if max(wide.values()) <= 254 else _package_ids(groups, 1)
    raise ValueError(f"unknown encoding in {apic}")


def _distances(nodes: list[dict], table: dict) -> dict[tuple[int, int], int]:
    pxms = [node["pxm"] for node in nodes]
    distances = {(a, b): 10 if a == b else 20 for a in pxms for b in pxms}
    if "matrix" in table:
        given = {(a, b): value for a, row in zip(pxms, table["matrix"], strict=True) for b, value in zip(pxms, row, strict=True)}
    else:
        given = {(int(a), int(b)): value for a, row in table.items() for b, value in row.items()}
    clamp = lambda value: 255 if value == "unreachable" else min(number(value), 254)
    return distances | {pair: clamp(value) for pair, value in given.items()}


def read(path: pathlib.Path) -> Topology:
    document = tomllib.loads(path.read_text())
    nodes, apic = document["node"], document.get("apic", {})
    ids = _apic_ids(nodes, apic)
    cpus = {}
    for node in nodes:
        for key, enabled in (("cpus", True), ("cpus_hotplug", False)):
            cpus |= {cpu: Cpu(node["pxm"], ids[cpu], enabled) for cpu in cpulist(node.get(key, ""))}
    return Topology(
        cpus=[cpus[cpu] for cpu in range(len(cpus))],
        memory=sorted((_memory(entry, node["pxm"]) for node in nodes for entry in node.get("memory", [])), key=lambda memory: memory.start),
        distances=_distances(nodes, document.get("distance", {})),
        package_ids=apic.get("encoding", "package") == "package",
    )
