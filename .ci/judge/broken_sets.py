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

import boots
import cpio
import qemu
from defects import BASE, DEFECTS, IO_APIC, IO_APIC_VERSION, ROOM, Tables, resum
from machine import FIXTURES, Machine, dump, machines
from topology import cpulist


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
