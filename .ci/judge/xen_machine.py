"""The machines that Xen is booted on in QEMU, and what its dom0 must then see: derived from QEMU's
arguments and the formats' descriptions alone."""

import dataclasses
import pathlib
import struct
import subprocess

from topology import Cpu, Memory, Topology

MIB = 1 << 20
GIB = 1 << 30
LOW_HOLE = (640 << 10, MIB)
HIGH_START = 4 * GIB
# As many vnodes as vnuma_alloc() in Xen's common/domctl.c takes: a page of distances.
XEN_VNODES = 32
# Below 4 GiB, q35 has 2 GiB of a RAM of 2.75 GiB and more.
LOW_RAM = 2 * GIB


def finish_table(table: bytearray) -> None:
    """Makes the table's length and checksum right."""
    struct.pack_into("<I", table, 4, len(table))
    table[9] = 0
    table[9] = -sum(table) & 0xFF


def add_memory(srat: bytearray, domain: int, start: int, end: int, flags: int) -> None:
    """One more memory entry."""
    srat += struct.pack("<BBIHQQIIQ", 1, 40, domain, 0, start, end - start, 0, flags, 0)
    finish_table(srat)


@dataclasses.dataclass(frozen=True)
class Node:
    """A node of the host, in the order of addresses."""

    cpus: int
    mib: int
    pxm: int


@dataclasses.dataclass(frozen=True)
class Machine:
    """A host."""

    name: str
    nodes: tuple[Node, ...]
    distances: dict[tuple[int, int], int] = dataclasses.field(default_factory=dict)  # by PXM, one direction
    hotplug_mib: int = 0  # memory that may be added, on the last node
    # The host's SRAT and SLIT are made by acpi-gen and not by QEMU.
    own_tables: bool = False
    # Its SRAT has the last block twice, and the second half of it once more. Xen and Linux accept that.
    repeats: bool = False
    # Its SRAT gives the last block to the first node, too: Xen refuses the SRAT.
    overlapping: bool = False
    # The firmware says nothing of nodes: there is no SRAT.
    silent: bool = False
    # More RAM than the machine that emulates it has: only what the guests touch is allocated.
    sparse: bool = False

    @property
    def cpu_count(self) -> int:
        return sum(node.cpus for node in self.nodes)

    @property
    def mib(self) -> int:
        return sum(node.mib for node in self.nodes)

    def distance(self, a: int, b: int) -> int:
        return 10 if a == b else self.distances.get((a, b), self.distances.get((b, a), 20))

    def blocks(self) -> list[Memory]:
        """The memory blocks of the SRAT, in the order of addresses."""
        found, at = [], 0
        for node in self.nodes:
            left = node.mib * MIB
            while left:
                room = (LOW_RAM if at < LOW_RAM else 1 << 52) - at
                if self.mib * MIB < LOW_RAM + 768 * MIB:
                    room = 1 << 52
                size = min(left, room)
                end = at + size
                if at < LOW_HOLE[0]:
                    found.append(Memory(at, LOW_HOLE[0], node.pxm, False, False))
                    found.append(Memory(LOW_HOLE[1], end, node.pxm, False, False))
                else:
                    found.append(Memory(at, end, node.pxm, False, False))
                left -= size
                at = HIGH_START if end == LOW_RAM and room != 1 << 52 else end
        if self.hotplug_mib:
            start = -(-max(at, HIGH_START) // GIB) * GIB
            # One GiB for each slot's alignment.
            end = start + (self.hotplug_mib + 1024) * MIB
            found.append(Memory(start, end, self.nodes[-1].pxm, True, False))
        return found

    def node_of_cpu(self) -> list[Node]:
        """The node of each CPU by number: CPUs are counted node by node."""
        return [node for node in self.nodes for _ in range(node.cpus)]

    def xen_nodes(self) -> list[int]:
        """The PXM of each of Xen's nodes: counted as the SRAT names them, processors first."""
        return list(dict.fromkeys([node.pxm for node in self.node_of_cpu()] + [block.pxm for block in self.blocks()]))

    def xen_node(self, pxm: int) -> int:
        return self.xen_nodes().index(pxm)

    def vnodes(self) -> dict[int, int]:
        """dom0's vnode for each PXM: the PXM itself where Xen's layouts, of at most 32 vnodes, take the highest."""
        pxms = sorted({node.pxm for node in self.nodes})
        return {pxm: pxm if pxms[-1] < XEN_VNODES else number for number, pxm in enumerate(pxms)}

    def qemu(self, tables: pathlib.Path | None) -> list[str]:
        """QEMU's arguments; `tables` is the folder with the host's own SRAT and SLIT."""
        memory = f"{self.mib}M" + (f",slots=1,maxmem={self.mib + self.hotplug_mib}M" if self.hotplug_mib else "")
        # One thread a core and one core a socket: the APIC ids are 0, 1, 2, …
        smp = f"{self.cpu_count},sockets={self.cpu_count},cores=1,threads=1"
        ram = ",memory-backend=ram" if self.sparse else ""
        arguments = ["-machine", f"q35{ram}", "-cpu", "EPYC,-monitor,-rdtscp", "-smp", smp, "-m", memory,
                     "-device", "amd-iommu,intremap=on"]  # fmt: skip
        if self.sparse:
            arguments += ["-object", f"memory-backend-ram,id=ram,size={self.mib}M,reserve=off"]
        if self.own_tables:
            for table in ("srat", "slit"):
                arguments += ["-acpitable", f"file={tables / (table + '.dat')}"]
        if self.own_tables or self.silent:
            return arguments
        first = 0
        for number, node in enumerate(self.nodes):
            option = f"node,nodeid={number}"
            if node.cpus:
                option += f",cpus={first}-{first + node.cpus - 1}"
                first += node.cpus
            if node.mib:
                arguments += ["-object", f"memory-backend-ram,id=m{number},size={node.mib}M"]
                option += f",memdev=m{number}"
            arguments += ["-numa", option]
        for (a, b), value in self.distances.items():
            arguments += ["-numa", f"dist,src={a},dst={b},val={value}"]
        return arguments

    def make_tables(self, acpi_gen: pathlib.Path, folder: pathlib.Path) -> None:
        """The host's SRAT and SLIT, as its firmware would have them."""
        folder.mkdir(parents=True, exist_ok=True)
        text, first = '[apic]\nencoding = "explicit"\nentries = "hybrid"\n', 0
        for node in self.nodes:
            cpus = list(range(first, first + node.cpus))
            first += node.cpus
            ranges = [f'"{b.start:#x}-{b.end:#x}"' for b in self.blocks() if b.pxm == node.pxm]
            text += f'[[node]]\npxm = {node.pxm}\nmemory = [{", ".join(ranges)}]\n'
            if cpus:
                text += f'cpus = "{cpus[0]}-{cpus[-1]}"\napic_ids = {cpus}\n'
        rows = [[self.distance(a.pxm, b.pxm) for b in self.nodes] for a in self.nodes]
        text += f"[distance]\nmatrix = {rows}\n"
        (folder / "host.toml").write_text(text)
        command = [acpi_gen, "emit", folder / "host.toml", "--out", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        srat, last = bytearray((folder / "srat.dat").read_bytes()), self.blocks()[-1]
        if self.repeats:
            for start in (last.start, (last.start + last.end) // 2):
                add_memory(srat, last.pxm, start, last.end, 1)
        if self.overlapping:
            add_memory(srat, self.nodes[0].pxm, last.start, last.end, 1)
        (folder / "srat.dat").write_bytes(srat)

    def dom0(self, vcpus: int | None = None) -> Topology:
        """What dom0 sees: a vCPU on each pCPU, or on as many as it has, the host's blocks, PXMs and distances."""
        groups: dict[int, int] = {}
        places = []
        for node in self.node_of_cpu()[:vcpus]:
            places.append((node.pxm, groups.get(node.pxm, 0)))
            groups[node.pxm] = groups.get(node.pxm, 0) + 1
        # By PXM, whatever vnodes are: all of these machines' ids are below 255.
        shift = (2 * max(groups.values()) - 1).bit_length()
        pxms = sorted({node.pxm for node in self.nodes})
        return Topology(
            cpus=[Cpu(pxm, pxm << shift | 2 * place, True) for pxm, place in places],
            memory=self.blocks(),
            distances={(a, b): self.distance(a, b) for a in pxms for b in pxms},
            packages=[pxm for pxm, _ in places], hybrid=False, minor=1, oem={}, ioapics=[], overrides=[], nmis=[],
        )  # fmt: skip


def uniform(name: str, *nodes: tuple[int, int], **more) -> Machine:
    """Nodes of (CPUs, MiB) whose PXMs are 0, 1, 2, …"""
    return Machine(name, tuple(Node(cpus, mib, pxm) for pxm, (cpus, mib) in enumerate(nodes)), **more)


DISTANCES = {(0, 1): 17, (0, 2): 28, (1, 2): 33}
MACHINES = {
    machine.name: machine
    for machine in (
        uniform("2x2", (2, 2048), (2, 1536)),
        uniform("3x2", (2, 2048), (2, 1536), (2, 1024), distances=DISTANCES),
        uniform("3x3", (3, 2048), (3, 1024), (3, 1024), distances=DISTANCES),
        uniform("1-2-3", (1, 2048), (2, 1024), (3, 1024), distances=DISTANCES),
        uniform("memory-only", (2, 2048), (2, 1024), (0, 1024), distances=DISTANCES),
        uniform("cpus-only", (2, 2048), (2, 1536), (2, 0), distances=DISTANCES),
        uniform("hotplug", (2, 2048), (2, 1024), hotplug_mib=1024),
        uniform("sparse", (2, 32 << 10), (2, 32 << 10), own_tables=True, repeats=True, sparse=True),
        uniform("one-node", (4, 3072)),
        uniform("silent", (4, 3072), silent=True),
        uniform("overlapping", (2, 1024), (2, 1024), own_tables=True, overlapping=True),
        Machine("pxm-5-0-2", (Node(2, 2048, 5), Node(2, 1024, 0), Node(2, 1024, 2)),
                {(5, 0): 21, (5, 2): 31, (0, 2): 26}, own_tables=True),  # fmt: skip
        Machine("pxm-40-7", (Node(2, 2048, 40), Node(2, 1536, 7)), {(40, 7): 25}, own_tables=True),
    )
}
