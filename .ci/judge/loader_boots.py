"""Boots Debian's kernels by pvh-loader, once as a UEFI application under OVMF and once as a bare PVH
stage, and compares what each kernel says with the topology that the loader was given."""

import argparse
import pathlib
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator

import cpio
import picture
import qemu
from compare import compare
from machine import FIXTURES, Machine, dump, machines
from topology import Topology, read

OURS = ("APIC", "SRAT", "SLIT")
# Types of MADT entries that the loader carries over: I/O APIC, override, both kinds of NMI.
CARRIED = (1, 2, 4, 0xA)


class Uefi:
    """OVMF starts the application as the ESP's default program. Should it return, the firmware's
    shell says so by startup.nsh and ends the machine."""

    name = "UEFI"
    says = "pvh-loader"

    def __init__(self, application: pathlib.Path, ovmf: pathlib.Path):
        self.application, self.ovmf = application, ovmf

    def arguments(self, files: dict[str, bytes], out: pathlib.Path) -> list[str]:
        esp = out / "esp"
        shutil.rmtree(esp, ignore_errors=True)
        folder = esp / "EFI" / "BOOT"
        folder.mkdir(parents=True)
        shutil.copy(self.application, folder / "BOOTX64.EFI")
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (esp / "startup.nsh").write_text("echo back in the firmware\r\nreset -s\r\n")
        variables = out / "vars.fd"
        shutil.copy(self.ovmf / "OVMF_VARS.fd", variables)
        flash = "if=pflash,format=raw"
        return ["-drive", f"{flash},unit=0,readonly=on,file={self.ovmf / 'OVMF_CODE.fd'}",
                "-drive", f"{flash},unit=1,file={variables}",
                "-drive", f"format=raw,file=fat:rw:{esp}"]  # fmt: skip


class Stage:
    """QEMU itself loads the stage, with the files as its module."""

    name = "stage"
    says = "pvh-stage"

    def __init__(self, program: pathlib.Path, command_line: str = ""):
        self.program, self.command_line = program, command_line

    def arguments(self, files: dict[str, bytes], out: pathlib.Path) -> list[str]:
        archive = out / "files.cpio"
        archive.write_bytes(cpio.pack({name: (0o100644, content) for name, content in files.items()}))
        return ["-kernel", str(self.program), "-initrd", str(archive), "-append", self.command_line]


def madt_entries(table: bytes) -> list[bytes]:
    entries, at = [], 44
    while at < len(table):
        entries.append(table[at : at + table[at + 1]])
        at += table[at + 1]
    return entries


def processors(entries: list[bytes]) -> list[tuple[int, int, int]]:
    """(APIC id, UID, flags) of the entries of types 0 and 9."""
    found = []
    for entry in entries:
        if entry[0] == 0:
            uid, apic_id, flags = struct.unpack_from("<BBI", entry, 2)
            found.append((apic_id, uid, flags))
        elif entry[0] == 9:
            apic_id, flags, uid = struct.unpack_from("<III", entry, 4)
            found.append((apic_id, uid, flags))
    return found


def madt(found: bytes, own: bytes, topology: Topology) -> Iterator[str]:
    """The MADT has the topology's processors, each with the UID that the machine's own gives its id,
    and the machine's interrupts."""
    uids = {apic_id: uid for apic_id, uid, _ in processors(madt_entries(own))}
    expected = [(cpu.apic_id, uids.get(cpu.apic_id), 1) for cpu in topology.cpus]
    if processors(madt_entries(found)) != expected:
        yield f"MADT's processors: {processors(madt_entries(found))} and not {expected}"
    carried = [[entry for entry in madt_entries(table) if entry[0] in CARRIED] for table in (found, own)]
    if carried[0] != carried[1] or not carried[0]:
        yield f"MADT's interrupts: {carried[0]} where the machine has {carried[1]}"


def same_tables(report: qemu.Report, machine: dict[str, bytes]) -> Iterator[str]:
    """The machine's other tables are there still."""
    for name in sorted(set(machine) - set(OURS) - set(report.tables)):
        yield f"{name} of the machine is not in sysfs"


def rsdp(report: qemu.Report, console: str, says: str) -> Iterator[str]:
    """The RSDP that Linux found is where the loader says that it put the tables."""
    placed = re.search(rf"{says}: (0x[0-9a-f]+)-0x[0-9a-f]+ the ACPI tables", console)
    found = re.search(r"ACPI: RSDP (0x[0-9A-F]+) ", report.dmesg)
    if not placed or not found or int(placed[1], 16) != int(found[1], 16):
        yield f"RSDP: {found and found[1]}, where the loader placed it at {placed and placed[1]}"


def judge(loader: Uefi | Stage, machine: Machine, kernels: dict[str, pathlib.Path], own: dict[str, bytes], acpi_gen: pathlib.Path, initramfs: bytes, out: pathlib.Path) -> bool:
    """All boots of one machine, whose own tables are `own`, by one loader; true where no kernel
    contradicts the topology."""
    subprocess.run([acpi_gen, "emit", machine.topology, "--out", out / "emitted"], check=True, stdout=subprocess.DEVNULL)
    expected = read(machine.topology)
    good = True
    for name, kernel in kernels.items():
        files = {
            "kernel": kernel.read_bytes(),
            "initrd": initramfs,
            "cmdline": qemu.KERNEL_LINE.encode() + b"\n",
            "topology.toml": machine.topology.read_bytes(),
        }
        logs = out / f"{loader.name}-{name}"
        logs.mkdir(parents=True, exist_ok=True)
        report = qemu.boot_by([*machine.command, *loader.arguments(files, logs)], logs)
        console = (logs / "console.log").read_text(errors="replace")
        tables = {"APIC": report.tables.get("APIC", b"")}
        tables |= {sig: (out / "emitted" / f"{sig.lower()}.dat").read_bytes() for sig in ("SRAT", "SLIT")}
        findings = compare(report, expected, tables)
        findings += madt(tables["APIC"], own["APIC"], expected)
        findings += rsdp(report, console, loader.says)
        findings += same_tables(report, own)
        print(f"{loader.name:6} {machine.name:10} {name:5} {report.seconds:5.1f} s  {len(expected.cpus):3} CPUs on"
              f" {len(expected.nodes())} nodes: {'FAILED' if findings else 'ok'}", flush=True)  # fmt: skip
        for finding in findings:
            print(f"    {finding}")
        good &= not findings
        if isinstance(loader, Uefi):
            (logs / "boot.svg").write_text(picture.svg(picture.lines(console, report, loader.says)))
    return good


def by_firmware(loader: Uefi | Stage, machine: Machine, kernel: pathlib.Path, direct: qemu.Report, initramfs: bytes, out: pathlib.Path) -> bool:
    """Without a topology the kernel finds the nodes that it finds by the machine's own tables."""
    logs = out / f"{loader.name}-by-firmware"
    logs.mkdir(parents=True, exist_ok=True)
    files = {"kernel": kernel.read_bytes(), "initrd": initramfs, "cmdline": qemu.KERNEL_LINE.encode()}
    report = qemu.boot_by([*machine.command, *loader.arguments(files, logs)], logs)
    findings = [
        f"{path}: {report.text.get(path)!r} where a boot without the loader has {text!r}"
        for path, text in direct.text.items()
        if re.search(r"/node/online$|/node\d+/(cpulist|distance)$|/cpu/online$", path) and report.text.get(path) != text
    ]
    enabled = lambda found: [cpu for cpu in processors(madt_entries(found.tables["APIC"])) if cpu[2] & 3]
    if enabled(report) != enabled(direct):
        findings.append(f"MADT's processors: {enabled(report)} where the machine has {enabled(direct)}")
    if report.tables["SRAT"] == direct.tables["SRAT"]:
        findings.append("the SRAT is the machine's own and not the loader's")
    console = (logs / "console.log").read_text(errors="replace")
    findings += rsdp(report, console, loader.says)
    print(f"{loader.name:6} {machine.name:10} by the firmware's own SRAT and MADT: {'FAILED' if findings else 'ok'}", flush=True)
    for finding in findings:
        print(f"    {finding}")
    return not findings


def refusals(loaders: list[Uefi | Stage], machine: Machine, kernel: pathlib.Path, out: pathlib.Path) -> bool:
    """What must be refused is, with a sentence, and the firmware gets the machine back."""
    topology = machine.topology.read_bytes()
    other = topology.replace(b"stride = 2", b"stride = 1")
    fewer = topology.replace(b'cpus = "4-5"', b'cpus = "4"')
    note = (pathlib.Path(__file__).parent.parent.parent / "fixtures" / "images" / "no-note.elf").read_bytes()
    cases = {
        "other-ids": (other, kernel.read_bytes(), r"CPU 1 has APIC id 1 in topology.toml.* it has one with id 2, which"),
        "fewer-cpus": (fewer, kernel.read_bytes(), r"the machine has a CPU with APIC id 22, which topology.toml lacks"),
        "wrong-key": (b"nodes = 3\n", kernel.read_bytes(), r"topology.toml, line 1: unknown field `nodes`"),
        "no-note": (topology, note, r"no note \"Xen\" of kind 18 \(PHYS32_ENTRY\)"),
    }
    good = True
    for loader in loaders:
        for name, (text, image, sentence) in cases.items():
            logs = out / f"{loader.name}-{name}"
            logs.mkdir(parents=True, exist_ok=True)
            qemu.start([*machine.command, *loader.arguments({"kernel": image, "topology.toml": text}, logs)], logs)
            console = (logs / "console.log").read_text(errors="replace")
            refused = re.search(rf"{loader.says}: error: .*{sentence}", console) is not None
            back = not isinstance(loader, Uefi) or re.search("^back in the firmware", console, re.M) is not None
            print(f"{loader.name:6} {name:10} refused: {'ok' if refused and back else 'FAILED'}", flush=True)
            if not (refused and back):
                print(console[-2000:])
            good &= refused and back
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True, help="the command line's program")
    parser.add_argument("--application", type=pathlib.Path, required=True, help="the UEFI application")
    parser.add_argument("--stage", type=pathlib.Path, required=True, help="the bare PVH stage")
    parser.add_argument("--ovmf", type=pathlib.Path, required=True, help="folder with OVMF_CODE.fd and OVMF_VARS.fd")
    parser.add_argument("--busybox", type=pathlib.Path, required=True, help="a static busybox")
    parser.add_argument("--kernel", action="append", required=True, metavar="NAME=VMLINUZ")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for logs")
    parser.add_argument("machine", nargs="*", help="names of fixtures/qemu")
    options = parser.parse_args()
    kernels = {name: pathlib.Path(path) for name, _, path in (text.partition("=") for text in options.kernel)}
    initramfs = cpio.initramfs(options.busybox)
    loaders = [Uefi(options.application, options.ovmf), Stage(options.stage)]
    good = True
    for machine in machines(FIXTURES, options.machine):
        out = options.out / machine.name
        try:
            direct = dump(machine, next(iter(kernels.values())), initramfs, out)
            for loader in loaders:
                good &= judge(loader, machine, kernels, direct.tables, options.acpi_gen, initramfs, out)
                if "SRAT" in direct.tables:
                    good &= by_firmware(loader, machine, next(iter(kernels.values())), direct, initramfs, out)
        except qemu.BootFailed as failure:
            print(f"{machine.name:10} FAILED: {failure}", flush=True)
            good = False
    [gaps] = machines(FIXTURES, ["gaps"])
    good &= refusals(loaders, gaps, next(iter(kernels.values())), options.out / "refusals")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
