"""Boots Xen with a PVH dom0 on hosts of several nodes, and holds what Xen, dom0's kernel, its tables,
CPUID and the hypercalls say against each host."""

import argparse
import copy
import dataclasses
import pathlib
import re
import sys
from collections.abc import Iterator

import qemu
import xen
import xen_efi
import xen_wrong
from compare import PAGE
from topology import Topology
from xen_compare import compare_vnuma, frames_to_ask
from xen_machine import MACHINES
from xen_plan import low_ram, memory_map, plan

PIN = "dom0=pvh,verbose dom0_vcpus_pin=1"
# QEMU's, for a PV dom0.
PV_CPU = "EPYC,-monitor,-smap,-smep"
# It has an id in CPUID with x2APIC alone, which Xen 4.20 gives to PV on request.
PV = "dom0_vcpus_pin=1 dom0_mem=2G dom0-cpuid=x2apic"
PV_OFF = ("vNUMA: dom0 gets one node: dom0 is not PVH",)
BY_EFI = ("Bootloader: EFI", "EFI RAM map:")


@dataclasses.dataclass(frozen=True)
class Case:
    """A boot and what it must show."""

    name: str
    machine: str
    build: str  # of --xen
    xen_line: str
    kernel: str = "6.1-unpacked"
    # Part of Xen's lines; where there are any the gate is not met, and dom0 is as stock Xen's.
    says: tuple[str, ...] = ()
    vnuma: bool = True
    fallbacks: bool | None = False  # None: there may be some
    cpu: str = ""  # instead of the usual model, for PV
    fails: bool = False  # Xen refuses to build dom0
    policy: str = ""  # FLASK's, a file of --policies
    refused: bool = False  # the policy refuses get_vcpu_apicids
    vcpus: int | None = None  # None: one for each pCPU
    planned: bool = True  # dom0's memory is shared over the nodes
    efi: bool = False  # OVMF starts xen.efi
    dom0_line: str = ""  # of dom0's kernel
    dom0_says: str = ""  # matches a part of dom0's dmesg

    @property
    def pvh(self) -> bool:
        return "dom0=pvh" in self.xen_line

    @property
    def sees_srat(self) -> bool:
        """Firmware's, of which Xen makes none for a PV dom0 and hides none."""
        return not self.pvh and not MACHINES[self.machine].silent


def _met(name: str, machine: str, memory: str, **more) -> Case:
    return Case(name, machine, more.pop("build", "on"), f"{PIN} {memory}".strip(), **more)


CASES = [
    _met("2x2-debug", "2x2", "dom0_mem=2G flask=enforcing", build="debug", policy="policy",
         says=("debug=y", "Flask:  Starting in enforcing mode.")),
    _met("2x2-refused", "2x2", "dom0_mem=2G flask=enforcing", build="debug", policy="refusing", refused=True),
    _met("pxm-40-7-xen-4.17", "pxm-40-7", "dom0_mem=2G", build="on-4.17"),
    _met("3x2", "3x2", "dom0_mem=3G", kernel="6.1"),
    _met("3x2-linux-6.12", "3x2", "dom0_mem=3G", kernel="6.12"),
    _met("3x3-35%", "3x3", "dom0_mem=35%"),
    _met("1-2-3-all", "1-2-3", "", fallbacks=None),
    _met("pxm-5-0-2", "pxm-5-0-2", "dom0_mem=2G"),
    _met("memory-only", "memory-only", "dom0_mem=2G"),
    _met("cpus-only", "cpus-only", "dom0_mem=2G"),
    _met("hotplug", "hotplug", "dom0_mem=2G"),
    _met("fewer-vcpus", "3x2", "dom0_mem=3G dom0_max_vcpus=4", vcpus=4,
         says=("vNUMA: node 2 is memory-only for dom0: 0 vCPUs on its 2 pCPUs",)),
    # 64 GiB, and an SRAT in which a block is there twice; half of dom0 is below 4 GiB, and so has room for a crash kernel.
    _met("sparse", "sparse", "dom0_mem=2G bootscrub=0", says=("overlaps with itself",), dom0_line="crashkernel=512M",
         dom0_says=r"Reserving 512MB of memory at [123]?\d{1,3}MB for crashkernel"),
    _met("node-exhausted", "2x2", "dom0_mem=3420M", fallbacks=True),
    # Less than what the kernel and its initrd are kept: the lowest RAM, on the first node, and all else as ever.
    _met("too-little-to-share", "2x2", "dom0_mem=160M", planned=False, kernel="6.1",
         says=("vNUMA: dom0 gets 2 nodes", "vNUMA: dom0 keeps the lowest RAM: 40960 pages < ")),
    Case("stock", "3x2", "stock", f"{PIN} dom0_mem=3G", vnuma=False),
    Case("off", "3x2", "off", f"{PIN} dom0_mem=3G", vnuma=False),
    Case("not-pinned", "3x2", "on", "dom0=pvh,verbose dom0_mem=3G", vnuma=False,
         says=("vNUMA: dom0 gets one node: no dom0_vcpus_pin",)),
    Case("sparse-not-pinned", "sparse", "on", "dom0=pvh,verbose dom0_mem=2G bootscrub=0", vnuma=False,
         says=("vNUMA: dom0 gets one node: no dom0_vcpus_pin",)),
    Case("switched-off", "3x2", "on", f"{PIN} dom0_mem=3G dom0-vnuma=off", vnuma=False,
         says=("vNUMA: dom0 gets none: dom0-vnuma is off",)),
    _met("no-memory-map", "3x2", "dom0_mem=3G dom0-vnuma=no-memory-map", planned=False, fallbacks=None,
         says=("vNUMA: dom0 gets 3 nodes", "vNUMA: dom0 keeps the lowest RAM: dom0-vnuma is no-memory-map")),
    Case("more-vcpus-stock", "3x2", "stock", f"{PIN} dom0_mem=3G dom0_max_vcpus=7", vnuma=False),
    Case("more-vcpus", "3x2", "on", f"{PIN} dom0_mem=3G dom0_max_vcpus=7", vnuma=False,
         says=("vNUMA: dom0 gets one node: 7 vCPUs > 6 pCPUs",)),
    Case("grouped-vcpus", "3x2", "on", f"{PIN} dom0_mem=3G sched-gran=core", vnuma=False,
         says=("vNUMA: dom0 gets one node: no dom0_vcpus_pin", "sched-gran is not cpu")),
    Case("dom0-nodes-stock", "2x2", "stock", f"{PIN} dom0_mem=2G dom0_nodes=0", vnuma=False),
    Case("dom0-nodes", "2x2", "on", f"{PIN} dom0_mem=2G dom0_nodes=0", vnuma=False,
         says=("vNUMA: dom0 gets one node: 2 vCPUs < 4 pCPUs",)),
    Case("fake-nodes-stock", "2x2", "stock", f"{PIN} dom0_mem=2G numa=fake=3", vnuma=False),
    # Xen's nodes 0 and 1 are halves of the first node's memory, whatever the SRAT says.
    Case("fake-nodes", "2x2", "on", f"{PIN} dom0_mem=2G numa=fake=3", vnuma=False,
         says=("0x100000-0x80000000 is not all on node 0", "vNUMA: dom0 gets one node: the host has no memory blocks")),
    Case("one-node-stock", "one-node", "stock", f"{PIN} dom0_mem=2G", vnuma=False),
    Case("one-node", "one-node", "on", f"{PIN} dom0_mem=2G", vnuma=False,
         says=("vNUMA: dom0 gets one node: 1 nodes < 2",)),
    Case("refused-srat", "overlapping", "on", f"{PIN} dom0_mem=1G", vnuma=False,
         says=("overlaps with PXM 1", "SRAT not used", "vNUMA: dom0 gets one node: ")),
    Case("pv-stock", "2x2", "stock", PV, vnuma=False, cpu=PV_CPU),
    Case("pv", "2x2", "on", PV, vnuma=False, cpu=PV_CPU, says=PV_OFF),
    Case("pv-fake-stock", "silent", "stock", f"{PV} numa=fake=2", vnuma=False, cpu=PV_CPU),
    Case("pv-fake", "silent", "on", f"{PV} numa=fake=2", vnuma=False, cpu=PV_CPU, says=PV_OFF),
    Case("efi-pv-stock", "silent", "stock", f"{PV} numa=fake=2", vnuma=False, cpu=PV_CPU, efi=True, says=BY_EFI),
    Case("efi-pv", "silent", "on", f"{PV} numa=fake=2", vnuma=False, cpu=PV_CPU, efi=True, says=BY_EFI + PV_OFF),
    _met("efi-3x2", "3x2", "dom0_mem=3G", efi=True, says=BY_EFI),
    Case("no-room-for-tables", "2x2", "debug", f"{PIN} dom0_mem=2G flask=permissive hv_glue_arena=3G", fails=True,
         says=("of dom0's RAM below 4GiB are free for its ACPI tables",)),
]  # fmt: skip
# Each copy of a piece into dom0, failing: Xen names it and gives up the dom0.
CASES += [
    Case(f"copy-{copy}-fails", "2x2", "debug", f"{PIN} dom0_mem=2G flask=permissive hv_glue_copy_fails={copy}", fails=True,
         says=(f"vNUMA: dom0's {what}: ", "could not be written", "Panic on CPU 0"))
    for copy, what in enumerate(("RSDP", "XSDT", "APIC", "SRAT", "SLIT", "start info"), start=1)
]  # fmt: skip
# Those that must agree in MADT, XSDT, RSDP and ids.
SAME_AS = {"off": "stock", "switched-off": "stock", "not-pinned": "stock", "more-vcpus": "more-vcpus-stock", "grouped-vcpus": "stock", "dom0-nodes": "dom0-nodes-stock",
           "fake-nodes": "fake-nodes-stock", "one-node": "one-node-stock",
           "pv": "pv-stock", "pv-fake": "pv-fake-stock", "efi-pv": "efi-pv-stock"}  # fmt: skip
# Those with vNUMA whose RAM must be where that of the others is.
MAP_AS = {"no-memory-map": "stock"}
# A PVH dom0 of several nodes has a memory map of its own with the option on.
MOVED = ("not-pinned", "sparse-not-pinned", "more-vcpus", "grouped-vcpus", "dom0-nodes")


def mutations(expected: Topology) -> Iterator[tuple[str, Topology]]:
    """Machines that are wrong in one thing: a good boot contradicts each."""
    for pair in expected.distances:
        yield f"distance {pair}", dataclasses.replace(expected, distances=expected.distances | {pair: 99})
    for number, cpu in enumerate(expected.cpus):
        wrong = copy.deepcopy(expected)
        wrong.cpus[number].apic_id ^= 1
        yield f"id of vCPU {number}", wrong
        for pxm in {pxm for pxm, _ in expected.distances} - {cpu.pxm}:
            wrong = copy.deepcopy(expected)
            wrong.cpus[number].pxm = pxm
            yield f"vCPU {number} on PXM {pxm}", wrong
    for index, memory in enumerate(expected.memory):
        wrong = copy.deepcopy(expected)
        wrong.memory[index] = dataclasses.replace(memory, end=memory.end - 4096)
        yield f"end of block {index}", wrong


def judge_vnuma(case: Case, boot: xen.Boot, out: pathlib.Path, acpi_gen: pathlib.Path) -> list[str]:
    machine = MACHINES[case.machine]
    expected = machine.dom0(case.vcpus)

    def judge(described: Topology) -> list[str]:
        found = compare_vnuma(boot, machine, described, out, acpi_gen, case.planned)
        # Where memory is not shared over the nodes, the first ones have all of it.
        unshared = "nodes, has_memory: [0"
        return [it for it in found if not it.startswith(unshared)] if not case.planned else found

    findings = judge(expected) + list(whole(boot))
    if case.refused:
        # EACCES whatever is asked of the domctl, and nothing else is otherwise.
        asked = [boot.probe(key)[0][:2] for key in ("apicids", "apicids-query", "apicids-short")]
        others = [finding for finding in findings if not re.match(r"get_vcpu_apicids.*: \[\['errno', '13'", finding)]
        return others if asked == [["errno", "13"]] * 3 else [f"get_vcpu_apicids is not refused: {asked}", *others]
    survived = [what for what, wrong in mutations(expected) if not judge(wrong)]
    findings += [f"a wrong machine passes too: {what}" for what in survived]
    warned = any("pages from another node than SRAT says" in line for line in boot.xen())
    if case.fallbacks is not None and warned != case.fallbacks:
        findings.append(f"fallbacks: {warned} where {case.fallbacks} is right")
    return findings


def judge_plain(case: Case, boot: xen.Boot, out: pathlib.Path, acpi_gen: pathlib.Path) -> Iterator[str]:
    """A dom0 without vNUMA: one node, no SRAT of ours, ids of 2 * vCPU; its share of each node all the same."""
    machine = MACHINES[case.machine]
    if case.name in MOVED:
        # Xen's pvh_add_mem_range() moves a range's start without growing it: part of a page behind its tables is lost.
        made = plan(boot, machine, machine.cpu_count, out, acpi_gen)
        yield from [made] if isinstance(made, str) else [*memory_map(boot, made, lost=PAGE), *low_ram(boot, made)]
    if "SRAT" in boot.report.tables and not case.sees_srat:
        yield "an SRAT where there should be none"
    vcpus = len(re.findall(r"^processor\s*:", boot.report.text["/proc/cpuinfo"], re.M))
    if case.pvh:
        ids = re.findall(r"^initial apicid\s*: (\d+)$", boot.report.text["/proc/cpuinfo"], re.M)
        if ids != [str(2 * cpu) for cpu in range(vcpus)]:
            yield f"ids {ids} are not 2 * vCPU"
    else:
        for cpu in range(vcpus):
            found = boot.probe(f"emulated-cpuid {cpu}")
            if [line[:4] for line in found] != [["initial", "0", "x2apic", str(2 * cpu)]]:
                yield f"vCPU {cpu}: {found} where the x2APIC id is 2 * vCPU, and leaf 1 has none for PV"
    missing = [["errno", "38"]]
    right = missing if case.build in ("stock", "off") else [[str(2 * cpu) for cpu in range(vcpus)]]
    if boot.probe("apicids") != right:
        yield f"get_vcpu_apicids: {boot.probe('apicids')} where {right} is right"
    if case.build in ("stock", "off") and boot.probe("pxms") != missing:
        yield f"get_mfn_pxms: {boot.probe('pxms')} where {missing} is right"
    frames = len(frames_to_ask(machine))
    if machine.overlapping and boot.probe("pxms") != [["none"] * frames]:
        yield f"get_mfn_pxms: {boot.probe('pxms')} of an SRAT that Xen refused"


def listed(report: qemu.Report, moved: bool) -> list[str]:
    """RSDP and XSDT as Linux lists them: every table's address, length and header, in the XSDT's order. Where
    dom0's memory map is another, the tables that Xen makes have moved."""
    lines = re.findall(r"ACPI: ([A-Z]{4} 0x[0-9A-F]{16} [0-9A-F]{6} \(v.*)", report.dmesg)
    return [re.sub(r"^(RSDP|XSDT|APIC) 0x[0-9A-F]{16}", r"\1", line) if moved else line for line in lines]


def firmware_map(boot: xen.Boot) -> list[str]:
    """dom0's memory map; a PV dom0's is Xen's."""
    return re.findall(r"(?:BIOS-e820|Xen): \[mem .*", boot.report.dmesg)


def ram_or_tables(boot: xen.Boot) -> list[tuple[int, int]]:
    """Pages of dom0's RAM with the tables that Xen has put into it, of which it may lose a part of a page."""
    found: list[tuple[int, int]] = []
    for start, last in re.findall(r"BIOS-e820: \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\] +(?:usable|ACPI data)", boot.report.dmesg):
        first, end = int(start, 16) // PAGE, -(-int(last, 16) // PAGE)
        adjoins = found and first <= found[-1][1]
        found.append((found.pop()[0] if adjoins else first, end))
    return found


def in_memory(boot: xen.Boot) -> dict[str, bytes]:
    """RSDP, XSDT and a PV dom0's RSDT as they lie in dom0's memory."""
    found = {"RSDP": b"", "XSDT": b"", "RSDT": b""}
    return found | {name: bytes.fromhex(text[0]) for name, *text in boot.probe("memory") if len(text) == 1}


def without_addresses(boot: xen.Boot) -> dict[str, bytes]:
    """The same with zeros for the addresses of the XSDT and the MADT, and for the checksums that follow from
    those. ACPI 6.5, 5.2.5.3 and 5.2.8."""
    blank = lambda table, at, size: table[:at] + bytes(size) + table[at + size :]
    tables = in_memory(boot)
    rsdp, xsdt = blank(blank(tables["RSDP"], 24, 8), 32, 1), blank(tables["XSDT"], 9, 1)
    madt = re.search(r"ACPI: APIC 0x([0-9A-F]{16})", boot.report.dmesg)[1]
    for at in range(36, len(xsdt), 8):
        if xsdt[at : at + 8] == bytes.fromhex(madt)[::-1]:
            xsdt = blank(xsdt, at, 8)
    return tables | {"RSDP": rsdp, "XSDT": xsdt}


def whole(boot: xen.Boot, xsdt: bool = True) -> Iterator[str]:
    """What came out of the guest's memory is an RSDP and the table that it names; SeaBIOS's, which a PV dom0
    sees, are an RSDP of ACPI 1.0 and an RSDT, and OVMF's are as Xen's."""
    tables = in_memory(boot)
    rsdp, name, size, at = tables["RSDP"], *(("XSDT", 36, 24) if xsdt else ("RSDT", 20, 16))
    root = tables[name]
    address = int.from_bytes(rsdp[at : at + (8 if xsdt else 4)], "little")
    if rsdp[:8] != b"RSD PTR " or len(rsdp) != size or sum(rsdp) % 256 or sum(rsdp[:20]) % 256:
        yield f"RSDP: {rsdp.hex()}"
    elif root[:4] != name.encode() or len(root) != int.from_bytes(root[4:8], "little") or sum(root) % 256:
        yield f"{name}: {root.hex()}"
    elif f"ACPI: {name} 0x{address:016X} " not in boot.report.dmesg:
        yield f"RSDP: no {name} at its address: {rsdp.hex()}"


def same(case: Case, other: str, boots: dict[str, xen.Boot]) -> Iterator[str]:
    """Two boots' MADTs, XSDTs and RSDPs have the same bytes. dom0's share of each node is its memory map's,
    whatever the gate says: there the addresses of the tables that Xen makes differ, and nothing else does."""
    a, b = boots[case.name], boots[other]
    moved = case.name in MOVED
    if not a.report.tables.get("APIC") or a.report.tables.get("APIC") != b.report.tables.get("APIC"):
        yield f"MADT differs from that of {other}"
    # Firmware's, which a PV dom0 sees.
    if a.report.tables.get("SRAT") != b.report.tables.get("SRAT"):
        yield f"SRAT differs from that of {other}"
    tables = [listed(boot.report, moved) for boot in (a, b)]
    if len(tables[0]) < 3 or tables[0] != tables[1]:
        yield f"tables differ from those of {other}: {tables[0]} and {tables[1]}"
    if not moved and firmware_map(a) != firmware_map(b):
        yield f"dom0's memory map differs from that of {other}: {firmware_map(a)} and {firmware_map(b)}"
    wrong = [*whole(a, case.pvh or case.efi), *whole(b, case.pvh or case.efi)]
    yield from wrong
    if wrong:
        return
    ours, theirs = (without_addresses(boot) if moved else in_memory(boot) for boot in (a, b))
    for name in ours:
        if ours[name] != theirs[name]:
            yield f"{name} differs from that of {other}: {ours[name].hex()} and {theirs[name].hex()}"


def command(case: Case, options: argparse.Namespace, builds: dict[str, pathlib.Path], kernels: dict[str, xen.Kernel]) -> list[str]:
    """QEMU and its arguments. Writes the files that they name to the case's folder."""
    machine = MACHINES[case.machine]
    out = options.out / case.name
    out.mkdir(parents=True, exist_ok=True)
    if machine.own_tables:
        machine.make_tables(options.acpi_gen, out)
    initrd = out / "initrd"
    initrd.write_bytes(xen.initramfs(kernels[case.kernel], options.busybox, options.probe, options.polled_serial))
    arguments = machine.qemu(out)
    if case.cpu:
        arguments[arguments.index("-cpu") + 1] = case.cpu
    frames = ":".join(hex(frame) for frame in frames_to_ask(machine))
    # Debian's kernels let ACPI's memory be read on request, but no page that has RAM, too, as that of Xen's own
    # tables has below them: there dom0's kernel is told to forget the RAM around.
    dom0_line = f"iomem=relaxed mfns={frames} {case.dom0_line}"
    if not case.vnuma and case.pvh:
        dom0_line += " mem=1G"
    if options.terminal is not None and sys.stdin.isatty():
        dom0_line += " shell"
    if case.efi:
        return xen_efi.command(options.ovmf, builds[case.build] / "xen.efi", arguments, kernels[case.kernel], initrd, out, case.xen_line, dom0_line)
    policy = options.policies / case.policy if case.policy else None
    return xen.command(builds[case.build] / "xen", arguments, kernels[case.kernel], initrd, case.xen_line, dom0_line, policy)


def run(case: Case, options: argparse.Namespace, builds: dict[str, pathlib.Path], kernels: dict[str, xen.Kernel]) -> xen.Boot:
    return xen.boot(command(case, options, builds, kernels), options.out / case.name)


def show(case: Case, options: argparse.Namespace, builds: dict[str, pathlib.Path], kernels: dict[str, xen.Kernel]) -> int:
    """Boots the case with the given build and kernel and shows the console; verifies nothing. On a terminal dom0
    starts a shell, otherwise it reports and ends the machine."""
    (build,), (kernel,) = builds, kernels
    case = dataclasses.replace(case, build=build, kernel=kernel, policy="", xen_line=f"{case.xen_line} {options.terminal}")
    if sys.stdin.isatty():
        return qemu.on_terminal(command(case, options, builds, kernels))
    print(run(case, options, builds, kernels).console, flush=True)
    return 0


def row(case: Case, boot: xen.Boot) -> str:
    """A line of the before-and-after table."""
    text = boot.report.text
    nodes = len([path for path in text if re.fullmatch(r"/sys/devices/system/node/node\d+/cpulist", path)])
    packages = len({value for path, value in text.items() if path.endswith("physical_package_id")})
    distance = " / ".join(text[path].strip() for path in sorted(text) if path.endswith("/distance"))
    pages = " ".join(str(count) for _, count in sorted(boot.debug_key(0)[0].items()))
    return (f"| {case.name} | {nodes} | {'yes' if 'SRAT' in boot.report.tables else 'no'} | {packages} | {distance} | {pages} |")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--busybox", type=pathlib.Path, required=True)
    parser.add_argument("--probe", type=pathlib.Path, required=True, help="a static dom0-probe")
    parser.add_argument("--polled-serial", type=pathlib.Path, required=True, help="a static polled-serial")
    parser.add_argument("--kernel", action="append", required=True, metavar="NAME=FOLDER", help="an unpacked linux-image")
    parser.add_argument("--xen", action="append", required=True, metavar="BUILD=FOLDER", help="what hv-glue/xen/build.sh printed")
    parser.add_argument("--policies", type=pathlib.Path, help="what hv-glue/xen/policy.sh made; unused with --terminal")
    parser.add_argument("--ovmf", type=pathlib.Path, required=True, help="the folder of OVMF_CODE.fd")
    parser.add_argument("--terminal", metavar="OPTIONS", help="boot one case with these further options of Xen and show its console")
    parser.add_argument("--table", type=pathlib.Path, help="where the before-and-after table goes, too")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("case", nargs="*", help="names of cases; none: all")
    options = parser.parse_args()
    names = [case.name for case in CASES]
    unknown = [name for name in options.case if name not in names]
    if unknown:
        parser.error(f"unknown case: {', '.join(unknown)}; expected of: {' '.join(names)}")
    named = lambda pairs: {name: pathlib.Path(path) for name, _, path in (pair.partition("=") for pair in pairs)}
    builds = named(options.xen)
    kernels = {name: xen.kernel(folder) for name, folder in named(options.kernel).items()}
    options.out.mkdir(parents=True, exist_ok=True)
    cases = [case for case in CASES if not options.case or case.name in options.case]
    if options.terminal is not None:
        return show(cases[0], options, builds, kernels)
    kernels["6.1-unpacked"] = kernels["6.1"].unpacked(options.out)
    good, boots = True, {}
    for case, result in qemu.side_by_side(lambda case: run(case, options, builds, kernels), cases):
        try:
            boot = result()
        except qemu.BootFailed as failure:
            console = (options.out / case.name / "console.log").read_text(errors="replace")
            findings = [f"Xen does not say: {words}" for words in case.says if words not in console]
            if not case.fails:
                findings.append(str(failure)[-3000:])
            print(f"{case.name:20} refused{'' if case.fails else ', FAILED'}", flush=True)
        else:
            boots[case.name] = boot
            text = "\n".join(boot.xen())
            findings = [f"Xen does not say: {words}" for words in case.says if words not in text]
            if case.fails:
                findings.append("dom0 came up")
            elif case.vnuma:
                findings += judge_vnuma(case, boot, options.out / case.name, options.acpi_gen)
            else:
                judge = lambda dom0: list(judge_plain(case, dom0, options.out / case.name, options.acpi_gen))
                findings += judge(boot)
                wrong = xen_wrong.plain(boot, srat=not case.sees_srat)
                findings += [f"a wrong dom0 passes too: {what}" for what, other in wrong if not judge(other)]
            if not re.search(case.dom0_says, boot.report.dmesg):
                findings.append(f"dom0 does not say: {case.dom0_says}")
            if (other := boots.get(MAP_AS.get(case.name))) and ram_or_tables(boot) != ram_or_tables(other):
                findings.append(f"dom0's RAM: {ram_or_tables(boot)} and {ram_or_tables(other)}")
            if case.name in SAME_AS and SAME_AS[case.name] in boots:
                stock = SAME_AS[case.name]
                findings += list(same(case, stock, boots))
                wrong = xen_wrong.twins(boots[stock], case.name in MOVED)
                findings += [f"another {what} passes too" for what, other in wrong if not list(same(case, stock, boots | {stock: other}))]
            print(f"{case.name:20} {boot.report.seconds:5.1f} s  {'FAILED' if findings else 'ok'}", flush=True)
        for finding in findings:
            print(f"    {finding}", flush=True)
        good &= not findings
    table = ["| boot | nodes | SRAT | packages | distances | dom0's pages by Xen's node |", "|---|---|---|---|---|---|"]
    table += [row(case, boots[case.name]) for case in CASES if case.name in boots]
    print("\n".join(table))
    if options.table:
        options.table.write_text("\n".join(table) + "\n")
    good &= xen.few_retries()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
