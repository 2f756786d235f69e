"""Compares what dom0 and Xen report with what a machine is. A finding is one line."""

import json
import pathlib
import re
import struct
import subprocess
from collections.abc import Iterator

from compare import PAGE, compare_kernel, ram
from topology import Memory, Topology, cpulist
from xen import Boot
from xen_machine import MIB, Machine

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


def compare_vnuma(boot: Boot, machine: Machine, expected: Topology, out: pathlib.Path, acpi_gen: pathlib.Path) -> list[str]:
    """All of a dom0 that has vNUMA."""
    boot.report.text["dmesg"] = XSAVE_WARNING.sub("", boot.report.text["dmesg"])
    checks = (_tables, _ids, _caches, _vnuma, _pxms, _own_frames)
    findings = compare_kernel(boot.report, expected)
    findings += [finding for check in checks for finding in check(boot, machine, expected)]
    return findings + list(_checker(boot, out, acpi_gen)) + list(_pages(boot, machine, expected, out, acpi_gen))


def _differs(what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{what}: {found} where {expected} is right"


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
    yield from _differs("MADT's processors (0, id, flags, UID)",
                        [(0, cpu.apic_id, 1, uid) for uid, cpu in enumerate(expected.cpus)], found)  # fmt: skip
    found = [struct.unpack("<2xHIIII4x", entry) for kind, entry in _entries(tables["SRAT"], 48) if kind == 2]
    yield from _differs("SRAT's processors (0, PXM, id, flags, clock)",
                        [(0, cpu.pxm, cpu.apic_id, 1, 0) for cpu in expected.cpus], found)  # fmt: skip
    memory = [struct.unpack("<2xI2xQQ4xI8x", entry) for kind, entry in _entries(tables["SRAT"], 48) if kind == 1]
    blocks = [(block.pxm, block.start, block.end - block.start, 3 if block.hotpluggable else 1) for block in expected.memory]
    yield from _differs("SRAT's memory (PXM, base, length, flags)", blocks, memory)
    (count,) = struct.unpack_from("<Q", tables["SLIT"], 36)
    yield from _differs("SLIT", expected.slit(), list(tables["SLIT"][44:]))
    yield from _differs("SLIT's localities", max(pxm for pxm, _ in expected.distances) + 1, count)


def _ids(boot: Boot, _: Machine, expected: Topology) -> Iterator[str]:
    """The domctl, CPUID 1 and CPUID 0xB on each CPU."""
    ids = [cpu.apic_id for cpu in expected.cpus]
    yield from _differs("get_vcpu_apicids", [[str(number) for number in ids]], boot.probe("apicids"))
    yield from _differs("get_vcpu_apicids, query", [["ok", str(len(ids))]], boot.probe("apicids-query"))
    yield from _differs("get_vcpu_apicids, one element", [["errno", "105", str(len(ids))]], boot.probe("apicids-short"))
    largest = max(sum(cpu.pxm == pxm for cpu in expected.cpus) for pxm, _ in expected.distances)
    shift = (2 * largest - 1).bit_length()
    for number, apic_id in enumerate(ids):
        right = f"initial {apic_id & 0xFF} x2apic {apic_id} levels 1/1/1 2/{shift}/{largest} ecx8 {shift << 12 | largest - 1:#x}"
        yield from _differs(f"CPUID of CPU {number}", [right.split()], boot.probe(f"cpuid {number}"))


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
            yield from _differs(f"L3 of CPU {match[2]}", right, cpulist(text[f"{match[1]}/shared_cpu_list"].strip()))
    yield from _differs("CPUs with an L3", len(expected.cpus), seen)


def _vnuma(boot: Boot, _: Machine, expected: Topology) -> Iterator[str]:
    """get_vnumainfo: vnodes are numbered by PXM, with gaps."""
    yield from _differs("vnuma distances", [[str(cell) for cell in expected.slit()]], boot.probe("vnuma-distances"))
    yield from _differs("vnuma vCPUs", [[str(cpu.pxm) for cpu in expected.cpus]], boot.probe("vnuma-vcpus"))
    ranges = [[f"{block.start:#x}", f"{block.end:#x}", "0", str(block.pxm)] for block in expected.memory]
    yield from _differs("vnuma ranges", ranges, boot.probe("vnuma-range"))


def pxms_of(blocks: list[Memory], frames: list[int]) -> list[str]:
    """The PXM of each frame, as get_mfn_pxms answers for the host's."""
    return [next((str(it.pxm) for it in blocks if it.start <= frame * PAGE < it.end), INVALID) for frame in frames]


def _pxms(boot: Boot, machine: Machine, _: Topology) -> Iterator[str]:
    """get_mfn_pxms."""
    yield from _differs("get_mfn_pxms", [pxms_of(machine.blocks(), frames_to_ask(machine))], boot.probe("pxms"))
    yield from _differs("get_mfn_pxms, 1,024 frames", [["1024"]], boot.probe("pxms-most"))
    yield from _differs("get_mfn_pxms, 1,025 frames", [["errno", "7"]], boot.probe("pxms-too-many"))
    yield from _differs("get_mfn_pxms, a pad", [["errno", "22"]], boot.probe("pxms-pad"))


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
        yield from _differs(f"frames of dom0's that Xen's log names in {block.start:#x}-{block.end:#x}", 2, len(frames))
    begun = set()
    for frame, host, pxm in sorted(found):
        yield from _differs(f"PXM of the host's frame {host:#x}", pxms_of(machine.blocks(), [host]), [pxm])
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


def host_toml(boot: Boot, machine: Machine, nr_pages: int, kept_end: int) -> str:
    """The host for `acpi-gen plan`: Xen's memory map, and the machine. Nodes are numbered as Xen does."""
    kinds = {"usable": "ram", "reserved": "reserved", "ACPI data": "acpi", "ACPI NVS": "nvs", "unusable": "unusable"}
    text = f'cpu_to_node = {[machine.xen_node(node.pxm) for node in machine.node_of_cpu()]}\n'
    text += f"node_to_pxm = {machine.xen_nodes()}\n"
    rows = [[machine.distance(a, b) for b in machine.xen_nodes()] for a in machine.xen_nodes()]
    text += f"distances = {rows}\n[dom0]\nmode = \"pvh\"\npinned = true\nvcpus = {machine.cpu_count}\n"
    text += f"nr_pages = {nr_pages}\n"
    text += f'keep = ["0x0-{MIB:#x}", "{16 * MIB:#x}-{kept_end:#x}"]\n'
    lines = boot.xen()
    start = lines.index("Xen-e820 RAM map:") if "Xen-e820 RAM map:" in lines else 0
    for line in lines[start + 1 :]:
        match = re.match(r" *\[([0-9a-f]+), ([0-9a-f]+)\] \((.*)\)", line)
        if not match:
            break
        text += f'[[e820]]\nstart = {int(match[1], 16):#x}\nend = {int(match[2], 16) + 1:#x}\ntype = "{kinds[match[3]]}"\n'
    for block in machine.blocks():
        text += f"[[memblk]]\nstart = {block.start:#x}\nend = {block.end:#x}\nnode = {machine.xen_node(block.pxm)}\n"
        text += f"hotplug = {str(block.hotpluggable).lower()}\n"
    return text


def _pages(boot: Boot, machine: Machine, expected: Topology, out: pathlib.Path, acpi_gen: pathlib.Path) -> Iterator[str]:
    """Xen's count of dom0's pages by node, against the plan for as many pages."""
    text = "\n".join(boot.xen())
    total = re.search(r"vNUMA: dom0's (\d+) pages are shared .* kept up to 0x([0-9a-f]+)", text)
    own = re.search(r"vNUMA: pages from their node: (\d+), of them from its DMA reserve: (\d+)", text)
    if not total or not own:
        yield "Xen does not say how many pages dom0 has, and from where"
        return
    fallbacks = int(total[1]) - int(own[1])
    warned = re.search(r"vNUMA: pages from another node than SRAT says: (\d+)", text)
    yield from _differs("counted fallbacks", fallbacks, int(warned[1]) if warned else 0)
    host = out / "host.toml"
    host.write_text(host_toml(boot, machine, int(total[1]), int(total[2], 16)))
    done = subprocess.run([acpi_gen, "plan", host, "--json"], capture_output=True, text=True)
    if done.returncode:
        yield f"acpi-gen plan: {done.stderr.strip()}"
        return
    planned: dict[int, int] = {}
    for row in json.loads(done.stdout)["allocations"]:
        planned[row["pnode"]] = planned.get(row["pnode"], 0) + (row["count"] << row["order"])
    # Linux puts the shared info in the place of a page of its low memory, which Xen then takes back.
    planned[machine.xen_node(expected.memory[0].pxm)] -= 1
    missed = {int(node): int(pages) for pages, node in re.findall(r"vNUMA:  (\d+) pages that belong on node (\d+)", text)}
    yield from _differs("fallbacks, node by node", fallbacks, sum(missed.values()))
    found, gained = boot.pages(), 0
    for node in sorted(planned | found | missed):
        # Where a node had none left, the page came from one that had.
        more = found.get(node, 0) - (planned.get(node, 0) - missed.get(node, 0))
        gained += more
        if more < 0 or more > fallbacks - missed.get(node, 0):
            yield f"Xen's node {node}: {found.get(node, 0)} pages of dom0 where the plan says {planned.get(node, 0)}, less {missed.get(node, 0)} fallbacks"
    yield from _differs("pages from other nodes", fallbacks, gained)
