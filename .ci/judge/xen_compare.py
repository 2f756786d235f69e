"""Compares what dom0 and Xen report with what a machine is. A finding is one line."""

import dataclasses
import pathlib
import re
import struct
import subprocess
from collections.abc import Iterator

from compare import PAGE, compare_kernel, differs, ram
from topology import Memory, Topology, cpulist
from xen import Boot
from xen_machine import Machine
from xen_plan import compare_plan

# Xen's XSAVE leaves make Linux warn under emulation with every Xen, stock ones too; the trace is cut out.
XSAVE_WARNING = re.compile(r"^.*XSAVE consistency problem(?:.*\n)*?.*end trace.*\n", re.M)
INVALID = "none"


def frames_to_ask(machine: Machine) -> list[int]:
    """Host frames at the start, in the middle and at the end of every block, just behind it, in the
    holes below 1 MiB and below 4 GiB, behind the last block, and no frames at all."""
    blocks = machine.blocks()
    frames = [0xA0, 0xFF, 0xE0000, blocks[-1].end // PAGE, blocks[-1].end // PAGE + 12345, (1 << 52) - 1, (1 << 64) - 1]
    for block in blocks:
        first, last = block.start // PAGE, block.end // PAGE - 1
        frames += [first, (first + last) // 2, last, last + 1]
    return frames


def compare_vnuma(boot: Boot, machine: Machine, expected: Topology, out: pathlib.Path, acpi_gen: pathlib.Path,
                  planned: bool = True) -> list[str]:  # fmt: skip
    """All of a dom0 that has vNUMA; `planned` where its memory is shared over the nodes."""
    boot.report.text["dmesg"] = XSAVE_WARNING.sub("", boot.report.text["dmesg"])
    checks = (_tables, _ids, _caches, _vnuma, _pxms, _own_frames)
    findings = compare_kernel(boot.report, expected)
    findings += [finding for check in checks for finding in check(boot, machine, expected)]
    findings += _checker(boot, out, acpi_gen)
    return findings + (list(compare_plan(boot, machine, expected, out, acpi_gen)) if planned else [])


def _entries(table: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at < len(table):
        kind, length = table[at], table[at + 1]
        yield kind, table[at : at + length]
        at += length


def _tables(boot: Boot, _: Machine, expected: Topology) -> Iterator[str]:
    """MADT, SRAT and SLIT as sysfs has them."""
    tables = boot.report.tables
    for name in ("APIC", "SRAT", "SLIT"):
        if name not in tables:
            yield f"no {name} in sysfs"
            return
    found = [struct.unpack("<2xHIII", entry) for kind, entry in _entries(tables["APIC"], 44) if kind == 9]
    yield from differs("MADT's processors (0, id, flags, UID)",
                        [(0, cpu.apic_id, 1, uid) for uid, cpu in enumerate(expected.cpus)], found)  # fmt: skip
    found = [struct.unpack("<2xHIIII4x", entry) for kind, entry in _entries(tables["SRAT"], 48) if kind == 2]
    yield from differs("SRAT's processors (0, PXM, id, flags, clock)",
                        [(0, cpu.pxm, cpu.apic_id, 1, 0) for cpu in expected.cpus], found)  # fmt: skip
    memory = [struct.unpack("<2xI2xQQ4xI8x", entry) for kind, entry in _entries(tables["SRAT"], 48) if kind == 1]
    blocks = [(block.pxm, block.start, block.end - block.start, 3 if block.hotpluggable else 1) for block in expected.memory]
    yield from differs("SRAT's memory (PXM, base, length, flags)", blocks, memory)
    (count,) = struct.unpack_from("<Q", tables["SLIT"], 36)
    yield from differs("SLIT", expected.slit(), list(tables["SLIT"][44:]))
    yield from differs("SLIT's localities", max(pxm for pxm, _ in expected.distances) + 1, count)


def _ids(boot: Boot, _: Machine, expected: Topology) -> Iterator[str]:
    """The domctl, CPUID 1 and CPUID 0xB on each CPU."""
    ids = [cpu.apic_id for cpu in expected.cpus]
    yield from differs("get_vcpu_apicids", [[str(number) for number in ids]], boot.probe("apicids"))
    yield from differs("get_vcpu_apicids, query", [["ok", str(len(ids))]], boot.probe("apicids-query"))
    yield from differs("get_vcpu_apicids, one element", [["errno", "105", str(len(ids))]], boot.probe("apicids-short"))
    yield from differs("get_vcpu_apicids, a null handle", [["ok", str(len(ids))]], boot.probe("apicids-null"))
    yield from differs("get_vcpu_apicids, an array that is not there", [["errno", "14"]], boot.probe("apicids-nowhere"))
    largest = max(sum(cpu.pxm == pxm for cpu in expected.cpus) for pxm, _ in expected.distances)
    shift = (2 * largest - 1).bit_length()
    for number, apic_id in enumerate(ids):
        right = f"initial {apic_id & 0xFF} x2apic {apic_id} levels 1/1/1 2/{shift}/{largest} ecx8 {shift << 12 | largest - 1:#x}"
        yield from differs(f"CPUID of CPU {number}", [right.split()], boot.probe(f"cpuid {number}"))


def _caches(boot: Boot, _: Machine, expected: Topology) -> Iterator[str]:
    """The last-level cache follows the node."""
    text, seen = boot.report.text, 0
    for path in text:
        if match := re.fullmatch(r"(/sys/devices/system/cpu/cpu(\d+)/cache/index\d+)/level", path):
            if text[path].strip() != "3":
                continue
            seen += 1
            pxm = expected.cpus[int(match[2])].pxm
            right = [number for number, cpu in enumerate(expected.cpus) if cpu.pxm == pxm]
            yield from differs(f"L3 of CPU {match[2]}", right, cpulist(text[f"{match[1]}/shared_cpu_list"].strip()))
    yield from differs("CPUs with an L3", len(expected.cpus), seen)


def _vnuma(boot: Boot, machine: Machine, expected: Topology) -> Iterator[str]:
    """get_vnumainfo: vnodes are numbered by PXM, with gaps; or one after the other, where PXMs are too large."""
    vnodes = machine.vnodes()
    dense = {(vnodes[a], vnodes[b]): value for (a, b), value in expected.distances.items()}
    cells = dataclasses.replace(expected, distances=dense).slit()
    yield from differs("vnuma distances", [[str(cell) for cell in cells]], boot.probe("vnuma-distances"))
    yield from differs("vnuma vCPUs", [[str(vnodes[cpu.pxm]) for cpu in expected.cpus]], boot.probe("vnuma-vcpus"))
    ranges = [[f"{block.start:#x}", f"{block.end:#x}", "0", str(vnodes[block.pxm])] for block in expected.memory]
    yield from differs("vnuma ranges", ranges, boot.probe("vnuma-range"))
    vcpus_on = lambda pxm: [number for number, cpu in enumerate(expected.cpus) if cpu.pxm == pxm]
    right = {vnode: (machine.xen_node(pxm), vcpus_on(pxm)) for pxm, vnode in vnodes.items()}
    yield from differs("the debug key's vnodes (pnode, vCPUs)", right, boot.debug_key(0)[1])


def pxms_of(blocks: list[Memory], frames: list[int]) -> list[str]:
    """The PXM of each frame, as get_mfn_pxms answers for the host's."""
    # The hot-pluggable block is above all RAM: no frame of it exists.
    present = [block for block in blocks if not block.hotpluggable]
    return [next((str(it.pxm) for it in present if it.start <= frame * PAGE < it.end), INVALID) for frame in frames]


def _pxms(boot: Boot, machine: Machine, _: Topology) -> Iterator[str]:
    """get_mfn_pxms."""
    yield from differs("get_mfn_pxms", [pxms_of(machine.blocks(), frames_to_ask(machine))], boot.probe("pxms"))
    yield from differs("get_mfn_pxms, 1,024 frames", [["1024"]], boot.probe("pxms-most"))
    yield from differs("get_mfn_pxms, 1,025 frames", [["errno", "7"]], boot.probe("pxms-too-many"))
    yield from differs("get_mfn_pxms, frames that are not there", [["errno", "14"]], boot.probe("pxms-frames-nowhere"))
    yield from differs("get_mfn_pxms, answers to nowhere", [["errno", "14"]], boot.probe("pxms-answers-nowhere"))
    yield from differs("get_mfn_pxms, one frame a call", boot.probe("pxms"), boot.probe("pxms-one-by-one"))
    for key in ("pxms-flags", "pxms-start-extent", "pxms-start-behind"):
        yield from differs(f"get_mfn_pxms, {key}", [["errno", "22"]], boot.probe(key))


def _own_frames(boot: Boot, machine: Machine, expected: Topology) -> Iterator[str]:
    """get_mfn_pxms for frames of dom0's own, the first and the last in each block, of which Xen's log gives the
    host's numbers: each lies in the domain that the SRAT gives it in dom0. Where a node had no memory left,
    Xen has counted pages that belong on it: its later frames may lie elsewhere, as it gives them in their order."""
    missed = re.findall(r"vNUMA:  \d+ pages that belong on node (\d+)", "\n".join(boot.xen()))
    may_miss = {str(machine.xen_nodes()[int(node)]) for node in missed}
    found = [(int(guest, 16), int(host, 16), pxm) for guest, host, pxm in (line for line in boot.probe("frame") if len(line) == 3)]
    with_ram = [block for block in expected.memory if any(block.start < end * PAGE and start * PAGE < block.end for start, end in ram(boot.report))]
    for block in with_ram:
        frames = [frame for frame, _, _ in found if block.start <= frame * PAGE < block.end]
        yield from differs(f"frames of dom0's that Xen's log names in {block.start:#x}-{block.end:#x}", 2, len(frames))
    begun = set()
    for frame, host, pxm in sorted(found):
        yield from differs(f"PXM of the host's frame {host:#x}", pxms_of(machine.blocks(), [host]), [pxm])
        (home,) = pxms_of(expected.memory, [frame])
        if pxm != home and not (home in begun and home in may_miss):
            yield f"dom0's frame {frame:#x} is on PXM {pxm} where SRAT says {home}"
        begun.add(home)


def _checker(boot: Boot, out: pathlib.Path, acpi_gen: pathlib.Path) -> Iterator[str]:
    """`acpi-gen check` on what sysfs has, against dom0's memory map."""
    folder = out / "tables"
    folder.mkdir(exist_ok=True)
    for name in ("APIC", "SRAT", "SLIT"):
        (folder / name).write_bytes(boot.report.tables.get(name, b""))
    dmesg = out / "dmesg"
    dmesg.write_text(boot.report.dmesg)
    command = [acpi_gen, "check", folder, "--memory-map", dmesg, "--pvh-dom0", "--for", "linux"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        yield f"acpi-gen check: {done.stdout.strip()} {done.stderr.strip()}"
