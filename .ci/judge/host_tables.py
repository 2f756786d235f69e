"""Tables that others made, read by acpi-gen and by iasl: each header, entry, field and distance has to
be the same. The tables are those of QEMU's machines. Those of the machine that runs this are compared, too, and what
differs in them is printed only."""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import cpio
import iasl
import qemu
import templates
from compare import BAD_WORDS
from machine import FIXTURES, dump, machines

SYSFS = pathlib.Path("/sys/firmware/acpi/tables")
FLAGS = "Flags (decoded below)"
# Type -> our name of a field -> iasl's.
MADT = {
    0: {"uid": "Processor ID", "apic_id": "Local Apic ID", "flags": FLAGS},
    1: {"id": "I/O Apic ID", "address": "Address", "gsi_base": "Interrupt"},
    2: {"bus": "Bus", "source": "Source", "gsi": "Interrupt", "flags": FLAGS},
    4: {"uid": "Processor ID", "flags": FLAGS, "lint": "Interrupt Input LINT"},
    9: {"apic_id": "Processor x2Apic ID", "flags": FLAGS, "uid": "Processor UID"},
    10: {"flags": FLAGS, "uid": "Processor UID", "lint": "Interrupt Input LINT"},
}
SRAT = {
    0: {"apic_id": "Apic ID", "flags": FLAGS, "clock_domain": "Clock Domain"},
    1: {"pxm": "Proximity Domain", "base": "Base Address", "size": "Address Length", "flags": FLAGS},
    2: {"pxm": "Proximity Domain", "apic_id": "Apic ID", "flags": FLAGS, "clock_domain": "Clock Domain"},
}


def entry(row: dict, names: dict[int, dict[str, str]], signature: str) -> dict:
    """An entry of iasl's as decode has it."""
    kind = row["Subtable Type"]
    found = {ours: row[theirs] for ours, theirs in names[kind].items()}
    if signature == "SRAT" and kind == 0:
        found["pxm"] = row["Proximity Domain High(24)"] << 8 | row["Proximity Domain Low(8)"]
    return {"type": kind} | found


def expected(text: str) -> dict:
    """What iasl's text says, in the words of `decode --json`."""
    rows = iasl.fields(text)
    first = dict(reversed(rows))
    field = lambda name: iasl.value(first[name])
    table = {"signature": field("Signature"), "length": field("Length" if "Table Length" not in first else "Table Length")}
    if table["signature"] == "FACS":
        return table | {"version": field("Version"), "hardware_signature": field("Hardware Signature")}
    table |= {"revision": field("Revision"), "oem_id": field("Oem ID").rstrip(),
              "oem_table_id": field("Oem Table ID").rstrip(), "oem_revision": field("Oem Revision")}  # fmt: skip
    if table["signature"] == "FACP":
        table |= fadt(text, rows)
    elif table["signature"] == "APIC":
        table["local_apic_address"] = field("Local Apic Address")
        table["pcat_compat"] = bool(field(FLAGS) & 1)
        table["entries"] = [entry(row, MADT, "APIC") for row in iasl.entries(rows)]
    elif table["signature"] == "SRAT":
        table["entries"] = [entry(row, SRAT, "SRAT") for row in iasl.entries(rows)]
    elif table["signature"] == "SLIT":
        cells, n = iasl.distances(text), field("Localities")
        table |= {"localities": n, "distances": [cells[i * n : (i + 1) * n] for i in range(n)]}
    return table


def fadt(text: str, rows: list[tuple[str, str]]) -> dict:
    """Version and addresses; a 64-bit address comes last and counts where it is not 0."""
    address = lambda name: ([iasl.value(text) for field, text in rows if field == name and iasl.value(text)] or [None])[-1]
    first = dict(reversed(rows))
    minor = iasl.value(first.get("FADT Minor Revision", "0")) & 0xF
    return {
        "version": f"{iasl.value(first['Revision'])}.{minor}",
        "hardware_reduced": re.search(r"Hardware Reduced \(V5\) : 1", text) is not None,
        "dsdt": address("DSDT Address"),
        "facs": address("FACS Address"),
    }


def program_header(text: str) -> dict:
    """The header of a table that is a program, from the comment that iasl puts first."""
    head = dict(re.findall(r"^ \*     (\S.*?\S)  +(\S.*?)$", text, re.M))
    quoted = lambda name: head[name].split('"')[1].rstrip()
    number = lambda name: int(head[name].split()[0], 16)
    return {"signature": quoted("Signature"), "length": number("Length"), "revision": number("Revision"),
            "oem_id": quoted("OEM ID"), "oem_table_id": quoted("OEM Table ID"), "oem_revision": number("OEM Revision")}  # fmt: skip


def compare_folder(acpi_gen: pathlib.Path, command: list[str], folder: pathlib.Path) -> tuple[int, list[str]]:
    """How many fields were the same, and what differs."""
    decoded = json.loads(subprocess.run([acpi_gen, "decode", "--json", folder], check=True, capture_output=True).stdout)
    ours = {pathlib.Path(table["file"]).name: table for table in decoded}
    files = sorted(path for path in folder.iterdir() if path.is_file())
    work = folder.with_name(folder.name + "-iasl")
    shutil.rmtree(work, ignore_errors=True)
    same, findings = 0, []
    if set(ours) != {path.name for path in files}:
        findings.append(f"{folder}: decode reads {sorted(ours)} of {[path.name for path in files]}")
    work.mkdir()
    for path in files:
        if path.name not in ours:
            continue
        copy = work / f"{path.name}.dat"
        shutil.copyfile(path, copy)
        text, _ = iasl.read(command, copy)
        theirs = program_header(text) if path.name[:4] in ("DSDT", "SSDT") else expected(text)
        table = ours[path.name]
        for entry in table.get("entries", []):
            entry.pop("offset")
        if table["errors"]:
            findings.append(f"{path}: {table['errors']}")
        for name, value in theirs.items():
            if table.get(name) != value:
                findings.append(f"{path}: {name} is {table.get(name)}, iasl reads {value}")
            else:
                same += sum(map(len, value)) if isinstance(value, list) else 1
        # Tables that only decode knows: their numbers, among those of iasl.
        if table["signature"] in templates.ENTRIES and "entries" not in theirs:
            numbers = templates.numbers({name: part for name, part in table.items() if name not in theirs})
            missing = sorted(set(numbers) - set(templates.of_iasl(text)))
            findings += [f"{path}: iasl does not read {number:#x}" for number in missing]
            same += len(numbers) - len(missing)
    return same, findings


def verdict(acpi_gen: pathlib.Path, folder: pathlib.Path, dmesg: str, out: pathlib.Path) -> list[str]:
    """`check` for Linux says "error" exactly where that kernel, booted with these tables, complained."""
    log = out / "dmesg.txt"
    log.write_text(dmesg)
    command = [acpi_gen, "check", folder, "--for", "linux", "--memory-map", log]
    run = subprocess.run(command, capture_output=True, text=True)
    words = [line for line in dmesg.splitlines() if any(word in line for word in BAD_WORDS)]
    complained = [line for line in words if "No NUMA configuration found" not in line]
    if run.returncode not in (0, 1) or (run.returncode == 1) != bool(complained):
        return [f"check exits {run.returncode}: {run.stdout}{run.stderr}; the kernel said: {complained or 'nothing bad'}"]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--iasl", required=True, nargs="+", help="a command")
    parser.add_argument("--busybox", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    initramfs = cpio.initramfs(options.busybox)
    all_findings = []

    def report(name: str, folder: pathlib.Path, more: list[str]) -> list[str]:
        same, findings = compare_folder(options.acpi_gen, options.iasl, folder)
        findings += more
        print(f"{name:14} {len(list(folder.iterdir())):2} tables, {same:4} fields as iasl reads them: {'FAILED' if findings else 'ok'}")
        for finding in findings:
            print(f"    {finding}")
        return findings

    run = lambda machine: dump(machine, options.kernel, initramfs, options.out / machine.name)
    for machine, dumped in qemu.side_by_side(run, machines(FIXTURES / "host", [])):
        out, booted = options.out / machine.name, dumped()
        all_findings += report(machine.name, out / "machine", verdict(options.acpi_gen, out / "machine", booted.dmesg, out))
    # Printed only: CI's result must not depend on the machine's firmware, and only root may read its tables.
    own = options.out / "this-machine"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    for path in SYSFS.iterdir() if SYSFS.exists() else []:
        if path.is_file() and os.access(path, os.R_OK):
            shutil.copyfile(path, own / path.name)
    if not any(own.iterdir()):
        print(f"no readable tables in {SYSFS}: this machine's are not compared")
        return 1 if all_findings else 0
    try:
        report("this machine", own, [])
    except Exception as error:
        print(f"this machine's tables are not comparable: {error!r}")
    return 1 if all_findings else 0


if __name__ == "__main__":
    sys.exit(main())
