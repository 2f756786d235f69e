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
    packages: list[int] | None  # by vCPU number; None if the ids do not encode packages
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


@dataclasses.dataclass
class _Ids:
    apic: dict[int, int]  # by vCPU number
    packages: dict[int, int] | None


def _package_ids(groups: list[tuple[int, list[int]]], numbering: str, stride: int) -> _Ids:
    """(package << shift) | place in the node * stride; the largest node decides the shift."""
    largest = max(len(cpus) for _, cpus in groups)
    shift = (stride * largest - 1).bit_length()
    ranks = {pxm: rank for rank, pxm in enumerate(sorted(pxm for pxm, _ in groups))}
    ids = _Ids({}, {})
    for pxm, cpus in groups:
        package = pxm if numbering == "pxm" else ranks[pxm]
        ids.packages |= {cpu: package for cpu in cpus}
        ids.apic |= {cpu: package << shift | place * stride for place, cpu in enumerate(sorted(cpus))}
    return ids


def _ids(nodes: list[dict], apic: dict) -> _Ids:
    groups = [(node["pxm"], cpulist(node.get("cpus", "")) + cpulist(node.get("cpus_hotplug", ""))) for node in nodes]
    encoding = apic.get("encoding", "package")
    if encoding == "legacy":
        return _Ids({cpu: 2 * cpu for _, cpus in groups for cpu in cpus}, None)
    if encoding == "explicit":
        explicit = [(cpus, node.get("apic_ids", [])) for node, (_, cpus) in zip(nodes, groups)]
        return _Ids({cpu: number(id_) for cpus, ids in explicit for cpu, id_ in zip(cpus, ids, strict=True)}, None)
    if encoding != "package":
        raise ValueError(f"unknown encoding {encoding}")
    numberings = {"auto": ["pxm", "dense"]}.get(apic.get("numbering", "auto"), [apic.get("numbering")])
    strides = {"auto": [2, 1]}.get(apic.get("stride", "auto"), [apic.get("stride")])
    tried = [_package_ids(groups, numbering, stride) for numbering in numberings for stride in strides]
    fitting = [ids for ids in tried if max(ids.apic.values()) <= 254]
    # (pxm, 1) if no ids fit, as far as the file leaves it open.
    return fitting[0] if fitting else _package_ids(groups, numberings[0], strides[-1])


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
    ids = _ids(nodes, apic)
    cpus = {}
    for node in nodes:
        for key, enabled in (("cpus", True), ("cpus_hotplug", False)):
            cpus |= {cpu: Cpu(node["pxm"], ids.apic[cpu], enabled) for cpu in cpulist(node.get(key, ""))}
    memory = [_memory(entry, node["pxm"]) for node in nodes for entry in node.get("memory", [])]
    return Topology(
        cpus=[cpus[cpu] for cpu in range(len(cpus))],
        memory=sorted(memory, key=lambda memory: memory.start),
        distances=_distances([node["pxm"] for node in nodes], document.get("distance", {})),
        packages=None if ids.packages is None else [ids.packages[cpu] for cpu in range(len(cpus))],
        hybrid=apic.get("entries", "x2apic") == "hybrid",
        minor=int(document.get("acpi", "6.5").removeprefix("6.")),
        oem={"id": "XEN", "table_id": "VNUMA", "revision": 1} | document.get("oem", {}),
        ioapics=document.get("ioapic", []),
        overrides=document.get("override", []),
        nmis=document.get("nmi", []),
    )
