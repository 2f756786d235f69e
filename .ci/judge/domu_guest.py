"""What one guest of the domU boots said, and what it should have said. A finding is one line."""

import dataclasses
import json
import re
import struct
from collections.abc import Iterator

import compare
from qemu import Report
from topology import Topology, cpulist
from xen import Boot
from xen_compare import XSAVE_WARNING


@dataclasses.dataclass
class Guest:
    """A guest, by the toolstack that made it, by Xen and by itself."""

    created: dict  # the toolstack's line
    ended: dict
    report: Report
    cpuid: dict[int, dict[str, list[int]]]  # by CPU and "leaf.subleaf": EAX to EDX
    mfn_pxms: str
    pages: dict[int, int]  # by host node, as Xen's debug key 'u' says
    vcpus_of: dict[int, tuple[int, list[int]]]  # vnode -> (pnode, vCPUs), by the same key


def lines(text: str, what: str) -> list[dict]:
    """The toolstack's lines "domu WHAT JSON"."""
    return [json.loads(line) for line in re.findall(rf"^domu {what} (.*)$", text, re.M)]


def read(run: str, console: str) -> Guest:
    """The guest of one run of the toolstack, out of Xen's console."""
    (created,), ended = lines(run, "created"), lines(run, "ended")
    domain = created["domain"]
    report, cpuid, answer = Report({"dmesg": ""}, {}, 0), {}, ""
    last = None
    for text in re.findall(rf"^\(d{domain}\) \[ *[0-9.]+\] (.*)$", console, re.M):
        if not text.startswith("@@ "):
            report.text["dmesg"] += text + "\n"
            continue
        key, _, value = text[3:].partition(" ")
        if key == "table":
            signature, _, value = value.partition(" ")
            report.tables[signature] = report.tables.get(signature, b"") + bytes.fromhex(value)
        elif key == "+" and last == "cpuid":
            cpuid[list(cpuid)[-1]] += value
        elif key == "cpuid":
            number, _, rest = value.partition(" ")
            cpuid[int(number)] = rest
        elif key == "get_mfn_pxms":
            answer = value
        else:
            blank = "\n" if key == "/proc/cpuinfo" and value.startswith("processor") and key in report.text else ""
            report.text[key] = report.text.get(key, "") + blank + value + "\n"
        last = key if key != "+" else last
    report.text["dmesg"] = XSAVE_WARNING.sub("", report.text["dmesg"])
    leaves = {cpu: _leaves(text) for cpu, text in cpuid.items()}
    pages, vcpus_of = Boot(report, console).debug_key(domain)
    return Guest(created, ended[0] if ended else {}, report, leaves, answer, pages, vcpus_of)


def _leaves(text: str) -> dict[str, list[int]]:
    pairs = (leaf.partition("=") for leaf in text.split())
    return {name: [int(register, 16) for register in registers.split("/")] for name, _, registers in pairs}


def madt(table: bytes) -> list[tuple[int, int]]:
    """(UID, id) of each x2APIC entry. ACPI 6.5, 5.2.12.12."""
    found, at = [], 44
    while at < len(table):
        kind, length = table[at], table[at + 1]
        if kind == 9:
            identity, _, uid = struct.unpack_from("<III", table, at + 4)
            found.append((uid, identity))
        at += length
    return found


def srat(table: bytes) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]]]:
    """(domain, id) of processors, (domain, start, end) of memory. ACPI 6.5, 5.2.16."""
    cpus, memory, at = [], [], 48
    while at < len(table):
        kind, length = table[at], table[at + 1]
        if kind == 2:
            cpus.append(struct.unpack_from("<II", table, at + 4))
        if kind == 1:
            (domain,) = struct.unpack_from("<I", table, at + 2)
            base, size = struct.unpack_from("<QQ", table, at + 8)
            memory.append((domain, base, base + size))
        at += length
    return cpus, memory


def shape(topology: Topology) -> tuple[int, int, int]:
    """(stride, shift, CPUs of the fullest node) of the package encoding that the ids have."""
    per_node = [sum(cpu.pxm == pxm for cpu in topology.cpus) for pxm in topology.nodes()]
    largest = max(per_node)
    top = max(pxm for pxm, count in zip(topology.nodes(), per_node) if count)
    for stride in (2, 1):
        shift = (stride * largest - 1).bit_length()
        if stride == 1 or (top << shift) + stride * (per_node[list(topology.nodes()).index(top)] - 1) <= 254:
            return stride, shift, largest
    raise AssertionError


def opted_in(guest: Guest, topology: Topology) -> list[str]:
    """Everything in which an opted-in guest, its tables and its CPUID differ from the description."""
    checks = (ids, tables, cpuid, caches, placed, refused, ended)
    found = [finding for check in checks for finding in check(guest, topology)]
    return found + compare.compare_kernel(guest.report, topology)


def ids(guest: Guest, topology: Topology) -> Iterator[str]:
    expected = [cpu.apic_id for cpu in topology.cpus]
    for key in ("ids", "expected_ids", "madt"):
        yield from compare.differs(f"the toolstack's {key}", expected, guest.created[key])


def tables(guest: Guest, topology: Topology) -> Iterator[str]:
    expected = [(uid, cpu.apic_id) for uid, cpu in enumerate(topology.cpus)]
    yield from compare.differs("MADT's (UID, id)", expected, madt(guest.report.tables["APIC"]))
    cpus, memory = srat(guest.report.tables["SRAT"])
    yield from compare.differs("SRAT's (domain, id)", [(cpu.pxm, cpu.apic_id) for cpu in topology.cpus], cpus)
    yield from compare.differs("SRAT's memory", [(it.pxm, it.start, it.end) for it in topology.memory], memory)
    yield from compare.differs("SLIT", topology.slit(), list(guest.report.tables["SLIT"][44:]))


def cpuid(guest: Guest, topology: Topology) -> Iterator[str]:
    """AMD's leaves, the vendor that emulation has."""
    stride, shift, largest = shape(topology)
    yield from compare.differs("CPUs with CPUID", list(range(len(topology.cpus))), sorted(guest.cpuid))
    for number, cpu in enumerate(topology.cpus):
        leaves = guest.cpuid.get(number)
        if leaves is None:
            continue
        fields = {
            "leaf 1, initial APIC id": (cpu.apic_id & 0xFF, leaves["1.0"][1] >> 24),
            "leaf 1, logical processors": (largest, leaves["1.0"][1] >> 16 & 0xFF),
            "leaf 0xB, SMT: shift, count, type": ((stride - 1, 1, 1), _level(leaves["b.0"])),
            "leaf 0xB, core: shift, count, type": ((shift, largest, 2), _level(leaves["b.1"])),
            "leaf 0xB, x2APIC id": ((cpu.apic_id, cpu.apic_id), (leaves["b.0"][3], leaves["b.1"][3])),
            "leaf 0x80000008, cores - 1": (largest - 1, leaves["80000008.0"][2] & 0xFF),
            "leaf 0x80000008, id size": (shift, leaves["80000008.0"][2] >> 12 & 0xF),
        }
        for name, (expected, found) in fields.items():
            yield from compare.differs(f"CPU {number}, {name}", expected, found)


def _level(registers: list[int]) -> tuple[int, int, int]:
    a, b, c, _ = registers
    return a & 0x1F, b & 0xFFFF, c >> 8 & 0xFF


def caches(guest: Guest, topology: Topology) -> Iterator[str]:
    """A package's processors share its last-level cache."""
    folder = "/sys/devices/system/cpu/cpu{}/"
    for number, cpu in enumerate(topology.cpus):
        node = [other for other, it in enumerate(topology.cpus) if it.pxm == cpu.pxm]
        for name in ("topology/package_cpus_list", "cache/index3/shared_cpu_list"):
            found = cpulist(guest.report.text.get(folder.format(number) + name, "").strip())
            yield from compare.differs(f"CPU {number}, {name}", node, found)


def placed(guest: Guest, topology: Topology) -> Iterator[str]:
    """Each vnode's memory on its pnode, and one page more for the identity map."""
    pnodes = guest.created["pnodes"]
    order = sorted(topology.nodes())
    expected = dict.fromkeys(guest.pages, 0)
    for memory in topology.memory:
        pnode = _pnode(pnodes, order.index(memory.pxm))
        expected[pnode] = expected.get(pnode, 0) + (memory.end - memory.start) // compare.PAGE
    more = {node: guest.pages.get(node, 0) - count for node, count in expected.items()}
    if sorted(more.values()) != [0] * (len(more) - 1) + [1]:
        yield f"pages by host node: {guest.pages} where the description says {expected}, and 1 more on one of them"
    vnodes = {
        vnode: (_pnode(pnodes, vnode), [number for number, cpu in enumerate(topology.cpus) if cpu.pxm == pxm])
        for vnode, pxm in enumerate(order)
    }
    yield from compare.differs("Xen's vnodes as (pnode, vCPUs)", vnodes, guest.vcpus_of)


def _pnode(pnodes: list[int], vnode: int) -> int:
    """A vnode's pnode; -1 where a wrong description has more vnodes than were asked for."""
    return pnodes[vnode] if vnode < len(pnodes) else -1


def refused(guest: Guest, _: Topology) -> Iterator[str]:
    yield from compare.differs("get_mfn_pxms, asked by the guest", "-EPERM", guest.mfn_pxms)


def ended(guest: Guest, topology: Topology) -> Iterator[str]:
    yield from compare.differs("the guest's end", "poweroff", guest.ended.get("shutdown"))
    started = [it for it, seen in enumerate(guest.ended.get("vcpus_started", [])) if seen]
    yield from compare.differs("vCPUs that ran", list(range(len(topology.cpus))), started)
