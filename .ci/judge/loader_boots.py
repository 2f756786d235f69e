"""Boots Debian's kernels by pvh-loader, as a UEFI application under OVMF and as a bare PVH stage, and
compares what each kernel says with the topology that the loader was given."""

import argparse
import functools
import pathlib
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator

import complete_sets
import cpio
import kernel_forms
import picture
import qemu
from compare import compare, differs
from loaders import Display, Stage, Uefi, drop_files
from machine import FIXTURES, Machine, dump, machines
from topology import Topology, read

OURS = ("APIC", "SRAT", "SLIT")
# Types of MADT entries that the loader carries over: I/O APIC, override, both kinds of NMI.
CARRIED = (1, 2, 4, 0xA)
# All tables that Linux shows of a guest that gets none of the machine's: on reduced hardware it reads no FACS.
COMPLETE = ("APIC", "DSDT", "FACP", "SLIT", "SRAT")
# FADT, ACPI 6.5, table 5.9: checksum, FIRMWARE_CTRL and DSDT, X_FIRMWARE_CTRL and X_DSDT.
OF_THE_PLACE = (slice(9, 10), slice(36, 44), slice(132, 148))
# Our tables name no timer to measure the processors' clocks by; QEMU's emulation runs them at 1 GHz. Nor do
# they name a serial port's interrupt, which is why the guest's report is sent without one.
OWN_TABLES = qemu.KERNEL_LINE + " tsc_early_khz=1000000"
# The machine for what is shown on one alone.
HARDEST = "gaps"
Boot = Callable[[], bool]
ESCAPES = re.compile(r"\x1b\[[0-9;=]*[A-Za-z]")


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


def messages(console: str, loader: Uefi | Stage) -> Iterator[str]:
    """The serial port carries each of the loader's lines once, and the firmware's words where, and only
    where, the firmware's console is on it. What a terminal is reset with are no words."""
    before, _, rest = console.partition(f"{loader.says}: ")
    words = ESCAPES.sub("", before).strip()
    if bool(words) != loader.firmware_speaks:
        yield f"the serial port says before the loader's first line: {words[:200]!r}"
    lines = re.findall(rf"^{loader.says}: .*$", f"{loader.says}: {rest}", re.M)
    if len(lines) < 3 or len(set(lines)) != len(lines):
        yield f"the loader's lines are not there once each: {lines}"


def files(kernel: bytes, initramfs: bytes, machine: Machine, line: str = qemu.KERNEL_LINE) -> dict[str, bytes]:
    topology = machine.topology.read_bytes()
    return {"kernel": kernel, "initrd": initramfs, "cmdline": line.encode() + b"\n", "topology.toml": topology}


def boot(loader: Uefi | Stage, machine: Machine, given: dict[str, bytes], logs: pathlib.Path) -> tuple[qemu.Report, str]:
    """What the guest reports, and the console."""
    logs.mkdir(parents=True, exist_ok=True)
    report = qemu.boot_by([*machine.command, *loader.arguments(given, logs)], logs)
    return report, (logs / "console.log").read_text(errors="replace")


def verdict(what: str, findings: list[str]) -> bool:
    # One write: boots run side by side.
    print("\n    ".join([f"{what}: {'FAILED' if findings else 'ok'}", *findings]) + "\n", end="", flush=True)
    return not findings


def judge(loader: Uefi | Stage, machine: Machine, name: str, kernel: bytes, own: dict[str, bytes], emitted: pathlib.Path,
          initramfs: bytes, out: pathlib.Path, acpiexec: list[str] | None = None) -> bool:  # fmt: skip
    """One boot on a machine whose own tables are `own`: true if the kernel does not contradict the topology, nor
    ACPICA's interpreter, if given, the guest's DSDT."""
    expected = read(machine.topology)
    logs = out / f"{loader.name}-{name}"
    line = OWN_TABLES if loader.own_tables else qemu.KERNEL_LINE
    report, console = boot(loader, machine, files(kernel, initramfs, machine, line), logs)
    tables = {"APIC": report.tables.get("APIC", b"")}
    tables |= {sig: (emitted / f"{sig.lower()}.dat").read_bytes() for sig in ("SRAT", "SLIT")}
    findings = compare(report, expected, tables)
    findings += madt(tables["APIC"], own["APIC"], expected)
    findings += rsdp(report, console, loader.says)
    findings += messages(console, loader)
    findings += no_other_tables(report, emitted, console) if loader.own_tables else same_tables(report, own)
    if isinstance(loader, Uefi):
        (logs / "boot.svg").write_text(picture.svg(picture.lines(console, report, loader.says)))
    what = f"{len(expected.cpus):3} CPUs on {len(expected.nodes())} nodes"
    if acpiexec:
        findings += dsdt(report, machine, own, emitted, acpiexec, out / "own-tables")
    return verdict(f"{loader.name:7} {machine.name:7} {name:9} {report.seconds:5.1f} s {what}", findings)


def no_other_tables(report: qemu.Report, emitted: pathlib.Path, console: str) -> Iterator[str]:
    """The guest has our tables and no other; the FADT is the one that acpi-gen emits for any guest, but for
    the addresses: the DSDT is where the kernel's log has it, the FACS where the loader has placed tables."""
    yield from differs("tables", sorted(COMPLETE), sorted(report.tables))
    for name, table in report.tables.items():
        if table[10:16] != b"XEN\0\0\0" or sum(table) & 0xFF:
            yield f"{name} has OEM id {table[10:16]} and bytes that add up to {sum(table) & 0xFF:#x}"
    fadt = bytearray(report.tables.get("FACP", bytes(276)))
    facs, dsdt = struct.unpack_from("<QQ", fadt, 132)
    start, end = re.search(r": (0x[0-9a-f]+)-(0x[0-9a-f]+) the ACPI tables", console).groups()
    if not int(start, 16) < facs < int(end, 16):
        yield f"the FACS is at {facs:#x}, where the loader placed tables at {start}-{end}"
    yield from differs("address of the DSDT", re.findall(r"ACPI: DSDT (0x[0-9A-F]+) ", report.dmesg), [f"0x{dsdt:016X}"])
    right = bytearray((emitted / "facp.dat").read_bytes())
    for place in OF_THE_PLACE:
        fadt[place] = right[place] = bytes(place.stop - place.start)
    yield from differs("FADT without addresses", right.hex(), fadt.hex())


def dsdt(report: qemu.Report, machine: Machine, own: dict[str, bytes], emitted: pathlib.Path, acpiexec: list[str], out: pathlib.Path) -> Iterator[str]:
    """ACPICA's interpreter finds each processor in the guest's DSDT, by the UID that the machine's MADT has."""
    uids = {apic_id: uid for apic_id, uid, _ in processors(madt_entries(own["APIC"]))}
    out.mkdir(parents=True, exist_ok=True)
    for name, table in report.tables.items():
        (out / f"{name.lower()}.dat").write_bytes(table)
    # The interpreter loads one too, though Linux shows none.
    shutil.copy(emitted / "facs.dat", out)
    cpus = [(uids[cpu.apic_id], cpu) for cpu in read(machine.topology).cpus]
    right, findings = complete_sets.judge_acpiexec(acpiexec, out, cpus)
    yield from findings
    yield from differs("values in the DSDT that are right", 3 * len(cpus), right)


def by_firmware(loader: Uefi | Stage, machine: Machine, name: str, kernel: bytes, direct: qemu.Report, initramfs: bytes, out: pathlib.Path) -> bool:
    """Without a topology the kernel finds the nodes that it finds by the machine's own tables."""
    given = files(kernel, initramfs, machine)
    del given["topology.toml"]
    report, console = boot(loader, machine, given, out / f"{loader.name}-by-firmware")
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
    findings += rsdp(report, console, loader.says)
    findings += messages(console, loader)
    return verdict(f"{loader.name:7} {machine.name:7} {name:9} {report.seconds:5.1f} s by the firmware's own SRAT and MADT", findings)


def refused(loader: Uefi | Stage, machine: Machine, name: str, given: dict[str, bytes], sentence: str, out: pathlib.Path) -> bool:
    """The loader says the sentence, and the firmware gets the machine back, which ends it."""
    logs = out / f"{loader.name}-{name}"
    logs.mkdir(parents=True, exist_ok=True)
    said = qemu.start([*machine.command, *loader.arguments(given, logs)], logs)
    console = (logs / "console.log").read_text(errors="replace")
    findings = []
    if not re.search(rf"^{loader.says}: error: .*{sentence}", console, re.M):
        findings.append(f"no sentence {sentence}: {console[-2000:]}")
    back = not loader.firmware_speaks or re.search("^back in the firmware", console, re.M)
    if said or not back:
        findings.append(f"the firmware did not get the machine back: {said}")
    return verdict(f"{loader.name:7} {name:10} refused", findings)


def refusals(loaders: list[Uefi | Stage], display: Display, machine: Machine, kernel: bytes, initramfs: bytes, out: pathlib.Path) -> list[Boot]:
    """Boots that must be refused with a sentence."""
    good = files(kernel, initramfs, machine)
    topology = good["topology.toml"]
    changed = lambda before, after: good | {"topology.toml": topology.replace(before, after)}
    note = (FIXTURES.parent / "images" / "no-note.elf").read_bytes()
    cases = {
        "other-ids": (changed(b"stride = 2", b"stride = 1"), r"CPU 1 has APIC id 1 in topology.toml.* it has one with id 2, which"),
        "fewer-cpus": (changed(b'cpus = "4-5"', b'cpus = "4"'), r"the machine has a CPU with APIC id 22, which topology.toml lacks"),
        "wrong-key": (good | {"topology.toml": b"nodes = 3\n"}, r"topology.toml, line 1: unknown field `nodes`"),
        "no-note": (good | {"kernel": note}, r"no note \"Xen\" of kind 18 \(PHYS32_ENTRY\)"),
    }
    tried = [(loader, name) for loader in loaders for name in cases] + [(display, "other-ids")]
    return [functools.partial(refused, loader, machine, name, *cases[name], out) for loader, name in tried]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True, help="the command line's program")
    parser.add_argument("--application", type=pathlib.Path, required=True, help="the UEFI application")
    parser.add_argument("--stage", type=pathlib.Path, required=True, help="the bare PVH stage")
    parser.add_argument("--ovmf", type=pathlib.Path, required=True, help="folder with OVMF_CODE.fd and OVMF_VARS.fd")
    parser.add_argument("--busybox", type=pathlib.Path, required=True, help="a static busybox")
    parser.add_argument("--polled-serial", type=pathlib.Path, required=True, help="a static polled-serial")
    parser.add_argument("--kernel", action="append", required=True, metavar="NAME=VMLINUZ")
    parser.add_argument("--xz-kernel", type=pathlib.Path, required=True, help="a bzImage packed by xz")
    parser.add_argument("--acpiexec", nargs="+", required=True, help="the command of ACPICA's interpreter")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for logs")
    parser.add_argument("machine", nargs="*", help="names of fixtures/qemu")
    options = parser.parse_args()
    paths = dict(text.split("=", 1) for text in options.kernel)
    kernels = {name: pathlib.Path(path).read_bytes() for name, path in paths.items()}
    first, last = next(iter(paths.values())), next(reversed(kernels))
    # It runs in the tables' folder.
    program, *arguments = options.acpiexec
    acpiexec = [pathlib.Path(program).resolve(), *arguments]
    forms = kernel_forms.forms(options.xz_kernel.read_bytes())
    initramfs = cpio.initramfs(options.busybox, options.polled_serial)
    uefi, stage = Uefi(options.application, options.ovmf), Stage(options.stage)
    display, own_tables = Display(options.ovmf), Stage(options.stage, own_tables=True)
    chosen = machines(FIXTURES, options.machine)
    good, boots = True, []
    dumps = qemu.side_by_side(lambda machine: dump(machine, pathlib.Path(first), initramfs, options.out / machine.name), chosen)
    for machine, dumped in dumps:
        out = options.out / machine.name
        emitted = out / "emitted"
        command = [options.acpi_gen, "emit", machine.topology, "--out", emitted, "--complete"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        direct = dumped()
        run = functools.partial(judge, machine=machine, own=direct.tables, emitted=emitted, initramfs=initramfs, out=out)
        boots += [functools.partial(run, loader, name=name, kernel=kernel) for loader in (uefi, stage) for name, kernel in kernels.items()]
        if "SRAT" in direct.tables:
            boots.append(functools.partial(by_firmware, uefi, machine, "6.1-xz", forms["xz"], direct, initramfs, out))
            boots.append(functools.partial(by_firmware, stage, machine, "6.1-gzip", forms["gzip"], direct, initramfs, out))
        if machine.name == HARDEST:
            boots.append(functools.partial(run, display, name=last, kernel=kernels[last]))
            boots.append(functools.partial(run, own_tables, name="6.1-ELF", kernel=forms["ELF"], acpiexec=acpiexec))
            boots += refusals([uefi, stage], display, machine, kernels[last], initramfs, out / "refusals")
    for boot_of, result in qemu.side_by_side(lambda boot_of: boot_of(), boots):
        try:
            good &= result()
        except qemu.BootFailed as failure:
            good = verdict(boot_of.func.__name__, [str(failure)])
    # A boot that is to be looked into needs them, by its command.txt; up to 100 MB each.
    if good:
        drop_files(options.out)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
