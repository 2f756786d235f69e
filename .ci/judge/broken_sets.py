"""Sets of tables with one defect each: what `acpi-gen check` says that Linux makes of them, against what
Linux does. The kernel gets the tables from memory, as from firmware, so that no override refuses them."""

import argparse
import copy
import dataclasses
import pathlib
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable

import boots
import cpio
import qemu
from machine import FIXTURES, Machine, dump, machines
from topology import cpulist

# Where the tables lie, in RAM that the kernel is told to leave alone.
BASE = 0x1F000000
ROOM = 0x100000
ENTRY_9 = 16  # bytes of a MADT entry of type 9
CPUS = 48  # offset of the SRAT's entries: four CPUs of type 2, then two ranges of memory
MEMORY = [CPUS + 4 * 24, CPUS + 4 * 24 + 40]
# Registers of an I/O APIC in that RAM: whatever register is asked for, the data word is what its version register
# has: 24 inputs, version 0x20. Linux reads no more of it while it registers the I/O APIC.
IO_APIC = BASE + 0x800
IO_APIC_VERSION = 0x00170020

Tables = dict[str, bytearray]


def put(table: bytearray, at: int, form: str, value: int) -> None:
    struct.pack_into("<" + form, table, at, value)


def append(table: bytearray, entry: bytes) -> None:
    table += entry
    put(table, 4, "I", len(table))


def resum(table: bytearray) -> None:
    table[9] = 0
    table[9] = -sum(table) & 0xFF


@dataclasses.dataclass(frozen=True)
class Defect:
    """A defect of a machine's good tables, and what the kernel then loses."""

    machine: str
    lost: set[str]
    damage: Callable[[Tables], None]
    # Words of a note instead of an error, where it is not in the tables whether the kernel loses something.
    noted: str | None


DEFECTS: dict[str, Defect] = {}


def defect(name: str, *lost: str, machine: str = "two-nodes", noted: str | None = None):
    def enter(function: Callable[[Tables], None]):
        DEFECTS[name] = Defect(machine, set(lost), function, noted)

    return enter


@defect("nothing wrong")
def _(tables: Tables) -> None:
    pass


@defect("nothing wrong, a gap in the numbering", machine="gap")
def _(tables: Tables) -> None:
    pass


@defect("10 off the SLIT's diagonal", "SLIT")
def _(tables: Tables) -> None:
    tables["SLIT"][44 + 1] = 10


@defect("20 on the SLIT's diagonal", "SLIT")
def _(tables: Tables) -> None:
    tables["SLIT"][44 + 3] = 20


@defect("zeros in the SLIT's gap rows", "SLIT", machine="gap")
def _(tables: Tables) -> None:
    for at in (1, 3, 4, 5, 7):
        tables["SLIT"][44 + at] = 0


@defect("a SLIT that ends before the highest domain")
def _(tables: Tables) -> None:
    del tables["SLIT"][45:]
    put(tables["SLIT"], 4, "I", 45)
    put(tables["SLIT"], 36, "Q", 1)


def _memory(tables: Tables, like: int, base: int, size: int, flags: int) -> None:
    """Another memory entry of the domain of the one at `like`."""
    entry = bytearray(tables["SRAT"][like : like + 40])
    put(entry, 8, "Q", base)
    put(entry, 16, "Q", size)
    put(entry, 28, "I", flags)
    append(tables["SRAT"], bytes(entry))


@defect("memory of two nodes overlaps in RAM", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[1] + 8, "Q", 0x10000000 - 4096)
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0x10000000 + 4096)


@defect("memory of one node overlaps")
def _(tables: Tables) -> None:
    append(tables["SRAT"], bytes(tables["SRAT"][MEMORY[1] : MEMORY[1] + 40]))


@defect("hot-plug windows of two nodes overlap")
def _(tables: Tables) -> None:
    for at, base in zip(MEMORY, (0x100000000, 0x140000000)):
        _memory(tables, at, base, 0x80000000, 3)


@defect("memory of two nodes overlaps above all RAM")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0x30000000)
    _memory(tables, MEMORY[0], 0x30000000, 0x10000000, 1)


@defect("memory of two nodes overlaps in a hole below RAM", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[0] + 16, "Q", 0xC0000)
    put(tables["SRAT"], MEMORY[1] + 8, "Q", 0xB0000)
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0x20000000 - 0xB0000)


@defect("half a MiB of RAM in no node", "boot")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[0] + 16, "Q", 0x10000000 - 0x80000)


@defect("two MiB of RAM in no node", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[0] + 16, "Q", 0x10000000 - 0x200000)


def _domain(tables: Tables, domain: int) -> None:
    put(tables["SRAT"], MEMORY[1] + 2, "I", domain)
    for cpu in (2, 3):
        put(tables["SRAT"], CPUS + 24 * cpu + 4, "I", domain)


@defect("PXM 1023")
def _(tables: Tables) -> None:
    _domain(tables, 1023)


@defect("PXM 1024", "SRAT")
def _(tables: Tables) -> None:
    _domain(tables, 1024)


@defect("revision 1 with PXM 256", "PXM")
def _(tables: Tables) -> None:
    _domain(tables, 256)
    tables["SRAT"][8] = 1


@defect("the boot CPU is not first")
def _(tables: Tables) -> None:
    madt = tables["APIC"]
    madt[44 : 44 + ENTRY_9], madt[44 + ENTRY_9 : 44 + 2 * ENTRY_9] = madt[44 + ENTRY_9 : 44 + 2 * ENTRY_9], madt[44 : 44 + ENTRY_9]


@defect("an APIC id twice", "APIC")
def _(tables: Tables) -> None:
    put(tables["APIC"], 44 + 3 * ENTRY_9 + 4, "I", 2)


@defect("an APIC id of 32768", "APIC")
def _(tables: Tables) -> None:
    put(tables["APIC"], 44 + 3 * ENTRY_9 + 4, "I", 32768)


@defect("type 9 entries below 255 beside type 0", "APIC")
def _(tables: Tables) -> None:
    madt = tables["APIC"]
    type_0 = b"".join(bytes([0, 8, cpu, cpu, 1, 0, 0, 0]) for cpu in (0, 1))
    madt[44 : 44 + 2 * ENTRY_9] = type_0
    put(madt, 4, "I", len(madt))


@defect("type 9 entries that repeat type 0")
def _(tables: Tables) -> None:
    madt = tables["APIC"]
    madt[44:44] = b"".join(bytes([0, 8, cpu, cpu, 1, 0, 0, 0]) for cpu in range(4))
    put(madt, 4, "I", len(madt))


@defect("wrong checksum of the SLIT")
def _(tables: Tables) -> None:
    tables["SLIT"][9] ^= 0x40


@defect("wrong checksum of the SRAT")
def _(tables: Tables) -> None:
    tables["SRAT"][9] ^= 0x40


@defect("a memory entry one byte short", "SRAT")
def _(tables: Tables) -> None:
    tables["SRAT"][MEMORY[1] + 1] = 39


@defect("an entry of length 0", "SRAT")
def _(tables: Tables) -> None:
    tables["SRAT"][MEMORY[1] + 1] = 0


@defect("a memory entry of length 0", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0)


@defect("a memory entry that passes 2^64")
def _(tables: Tables) -> None:
    entry = bytearray(tables["SRAT"][MEMORY[1] : MEMORY[1] + 40])
    put(entry, 8, "Q", 1 << 32)
    put(entry, 16, "Q", (1 << 64) - 1)
    append(tables["SRAT"], bytes(entry))


@defect("no memory entry is enabled", "SRAT")
def _(tables: Tables) -> None:
    for at in MEMORY:
        put(tables["SRAT"], at + 28, "I", 0)


@defect("a CPU without an affinity entry", noted="have no affinity entry")
def _(tables: Tables) -> None:
    put(tables["SRAT"], CPUS + 3 * 24 + 12, "I", 0)


def _io_apic(tables: Tables, address: int, gsi_base: int) -> None:
    append(tables["APIC"], struct.pack("<BBBBII", 1, 12, 1, 0, address, gsi_base))


@defect("nothing wrong, two I/O APICs")
def _(tables: Tables) -> None:
    _io_apic(tables, IO_APIC, 24)


@defect("two I/O APICs at one address", "APIC")
def _(tables: Tables) -> None:
    _io_apic(tables, 0xFEC00000, 24)


@defect("two I/O APICs with one first GSI", "APIC")
def _(tables: Tables) -> None:
    _io_apic(tables, IO_APIC, 0)


@defect("two I/O APICs whose GSIs overlap", "APIC", noted="if the lower one has 11 inputs or more")
def _(tables: Tables) -> None:
    _io_apic(tables, IO_APIC, 10)


@defect("more I/O APICs than Linux reads", "APIC")
def _(tables: Tables) -> None:
    for number in range(128):
        _io_apic(tables, BASE + ROOM - 0x100 * (number + 1), 24 * (number + 1))


def _initiator(domain: int, flags: int = 1) -> bytes:
    """A generic initiator: PCI device 00:01.0."""
    return struct.pack("<BBBBI16sII", 5, 32, 0, 1, domain, bytes([0, 0, 0, 8]), flags, 0)


@defect("a generic initiator beyond the SLIT")
def _(tables: Tables) -> None:
    append(tables["SRAT"], _initiator(2))


@defect("a generic initiator with PXM 2000 behind all")
def _(tables: Tables) -> None:
    append(tables["SRAT"], _initiator(2000))


@defect("a generic initiator with PXM 2000 before the CPUs", "CPU nodes")
def _(tables: Tables) -> None:
    tables["SRAT"][CPUS:CPUS] = _initiator(2000)
    put(tables["SRAT"], 4, "I", len(tables["SRAT"]))


@defect("a disabled generic initiator before the CPUs", "CPU nodes")
def _(tables: Tables) -> None:
    tables["SRAT"][CPUS:CPUS] = _initiator(1, 0)
    put(tables["SRAT"], 4, "I", len(tables["SRAT"]))


@dataclasses.dataclass
class Base:
    """A machine with its good tables, the addresses of those that stay its own, and the log of a good boot."""

    machine: Machine
    tables: Tables
    own: list[int]
    dmesg: str


def base(machine: Machine, acpi_gen: pathlib.Path, kernel: pathlib.Path, initramfs: bytes, out: pathlib.Path) -> Base:
    report = dump(machine, kernel, initramfs, out)
    tables = boots.emitted_tables(boots.override(acpi_gen, machine, out))
    listed = re.findall(r"ACPI: (\w{4}) (0x[0-9A-F]+) [0-9A-F]{6} ", report.dmesg)
    gone = ("RSDP", "RSDT", "XSDT", "DSDT", "FACS", *tables)
    own = [int(address, 16) for name, address in listed if name not in gone]
    return Base(machine, {name: bytearray(table) for name, table in tables.items()}, own, report.dmesg)


def image(tables: Tables, own: list[int]) -> bytes:
    """RSDP, XSDT and the tables as they lie in memory from BASE on."""
    at, blob, addresses = 0x1000, bytearray(0x1000), list(own)
    for table in tables.values():
        addresses.append(BASE + at)
        blob += table + bytes(-len(table) % 16)
        at = len(blob)
    xsdt = bytearray(b"XSDT" + struct.pack("<IBB6s8sI4sI", 36 + 8 * len(addresses), 1, 0, b"BROKEN", b"SETS    ", 1, b"NONE", 1))
    xsdt += struct.pack(f"<{len(addresses)}Q", *addresses)
    resum(xsdt)
    blob[64 : 64 + len(xsdt)] = xsdt
    struct.pack_into("<I", blob, IO_APIC - BASE + 0x10, IO_APIC_VERSION)
    rsdp = bytearray(b"RSD PTR \0BROKEN\2" + struct.pack("<IIQB3x", 0, 36, BASE + 64, 0))
    rsdp[8] = -sum(rsdp[:20]) & 0xFF
    rsdp[32] = -sum(rsdp) & 0xFF
    blob[: len(rsdp)] = rsdp
    return bytes(blob)


def boot(of: Base, tables: Tables, kernel: pathlib.Path, initrd: pathlib.Path, out: pathlib.Path) -> qemu.Report:
    out.mkdir(parents=True, exist_ok=True)
    blob = out / "tables.bin"
    blob.write_bytes(image(tables, of.own))
    # A kernel that panics early says so on the early console alone.
    line = f"{qemu.KERNEL_LINE} acpi_rsdp={BASE:#x} memmap={ROOM:#x}${BASE:#x} earlyprintk=serial,ttyS0,115200"
    command = [*of.machine.command, "-device", f"loader,file={blob},addr={BASE:#x},force-raw=on",
               "-kernel", str(kernel), "-initrd", str(initrd), "-append", line]  # fmt: skip
    for last in (False, True):
        try:
            # A kernel that panics so early does not end the machine.
            return qemu.run(command, out, last_words="Kernel panic")
        except qemu.BootFailed as failure:
            console = (out / "console.log").read_text(errors="replace")
            if "Kernel panic" in console:
                return qemu.Report({"dmesg": console}, {}, 0)
            if last:
                raise
            # As in qemu.boot: emulation on a busy machine may hang. A report is never asked for twice.
            print(f"no report in {out}, second try: {str(failure)[-500:]}", flush=True)


def lost(report: qemu.Report) -> set[str]:
    """Whether it boots; tables that the kernel dropped, CPUs that it did not bring up, domains that it read as others."""
    if "Kernel panic" in report.dmesg:
        return {"boot"}
    found = set()
    if re.search(r"SRAT: SRAT not used|No NUMA configuration found|no nodes coverage|nodes only cover", report.dmesg):
        found.add("SRAT")
    if "SLIT table looks invalid" in report.dmesg:
        found.add("SLIT")
    if len(cpulist(report.text["/sys/devices/system/cpu/online"].strip())) < 4:
        found.add("APIC")
    if re.search(r"conflicts with (?:IOAPIC|GSI)|\[APIC:0x01\] ignored", report.dmesg):
        found.add("APIC")
    cpus = [report.text.get(f"/sys/devices/system/node/node{node}/cpulist", "").strip() for node in (0, 1)]
    # The kernel spreads CPUs without affinity over the nodes.
    if "SRAT" not in found and cpus == ["0,2", "1,3"]:
        found.add("CPU nodes")
    nodes = re.findall(r"SRAT: Node \d+ PXM (\d+) \[mem", report.dmesg)
    if "SRAT" not in found and len(set(nodes)) < 2:
        found.add("PXM")
    return found


def predicted(acpi_gen: pathlib.Path, of: Base, tables: Tables, report: qemu.Report, out: pathlib.Path) -> tuple[set[str], str]:
    """What `check` says will be lost, and its words."""
    folder = out / "tables"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, table in tables.items():
        (folder / name).write_bytes(table)
    # The machine's FADT stays: what online-capable means goes by its version.
    if "FACP" in report.tables:
        (folder / "FACP").write_bytes(report.tables["FACP"])
    log = out / "dmesg.txt"
    # The memory map is the machine's; a kernel that panics early has not printed it.
    log.write_text(of.dmesg)
    run = subprocess.run([acpi_gen, "check", folder, "--for", "linux", "--memory-map", log], capture_output=True, text=True)
    errors = [line for line in run.stdout.splitlines() if "error: Linux: " in line]
    if run.returncode != (1 if errors else 0):
        raise RuntimeError(f"check exits {run.returncode}: {run.stdout}{run.stderr}")
    found = set()
    for line in errors:
        what = line.partition("error: Linux: ")[2]
        words = {"is read as": "PXM", "panic at boot": "boot", "are not read": "CPU nodes"}
        found.add(next((lost for word, lost in words.items() if word in what), what[:4]))
    return found, run.stdout + run.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--busybox", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("defect", nargs="*", help="words of its name; none: all")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    initramfs = cpio.initramfs(options.busybox)
    initrd = options.out / "initramfs"
    initrd.write_bytes(initramfs)
    bases = {
        machine.name: base(machine, options.acpi_gen, options.kernel, initramfs, options.out / machine.name)
        for machine in machines(FIXTURES / "check", [])
    }
    chosen = [name for name in DEFECTS if not options.defect or any(word in name for word in options.defect)]
    damaged: dict[str, Tables] = {}
    for name in chosen:
        damaged[name] = tables = copy.deepcopy(bases[DEFECTS[name].machine].tables)
        DEFECTS[name].damage(tables)
        for signature, table in tables.items():
            if f"checksum of the {signature}" not in name:
                resum(table)
    folder = lambda name: options.out / re.sub(r"\W+", "-", name)
    run = lambda name: boot(bases[DEFECTS[name].machine], damaged[name], options.kernel, initrd, folder(name))
    good = True
    for name, result in qemu.side_by_side(run, chosen):
        defect, of = DEFECTS[name], bases[DEFECTS[name].machine]
        tables, out, report = damaged[name], folder(name), result()
        said, words = predicted(options.acpi_gen, of, tables, report, out)
        does = lost(report)
        noted = any("note: Linux: " in line and defect.noted in line for line in words.splitlines()) if defect.noted else True
        agree = does == defect.lost and said == (set() if defect.noted else defect.lost) and noted
        good &= agree
        text = lambda found: ", ".join(sorted(found)) or "nothing"
        print(f"{name:45} Linux loses {text(does):9} check says {text(said):9} {report.seconds:5.1f} s {'ok' if agree else 'FAILED'}", flush=True)
        for line in words.splitlines():
            print(f"    {line.partition(': ')[2] if line.startswith(str(out)) else line}")
        if not agree:
            print("    " + "\n    ".join(line for line in report.dmesg.splitlines() if re.search("SRAT|SLIT|NUMA|numa|APIC|smpboot|ACPI BIOS", line)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
