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
import iasl_map
import qemu
from compare import BAD_WORDS
from machine import FIXTURES, dump, machines

SYSFS = pathlib.Path("/sys/firmware/acpi/tables")


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
        table["pcat_compat"] = bool(field(iasl_map.FLAGS) & 1)
    elif table["signature"] == "SLIT":
        cells, n = iasl.distances(text), field("Localities")
        table |= {"localities": n, "distances": [cells[i * n : (i + 1) * n] for i in range(n)]}
    table |= iasl_map.fixed(table["signature"], rows)
    if table["signature"] in iasl_map.ENTRIES:
        table["entries"] = iasl_map.entries(table["signature"], table["revision"], rows)
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


# What decode says of a table besides its fields.
NO_FIELDS = {"file", "address", "errors"}


def compare_table(ours: dict, theirs: dict) -> tuple[int, list[str]]:
    """How many fields of a decoded table are as iasl has them, and what differs."""
    kinds = iasl_map.ENTRIES.get(theirs["signature"], {})
    entries = [
        {name: value for name, value in entry.items() if name != "offset" and (name != "bytes" or entry["type"] in kinds)}
        for entry in ours.get("entries", [])
    ]
    ours = {name: value for name, value in ours.items() if name not in NO_FIELDS} | ({"entries": entries} if entries else {})
    same, findings = 0, []
    for name in sorted(ours.keys() | theirs.keys()):
        mine, value = ours.get(name), theirs.get(name)
        if mine == value:
            same += sum(map(len, value)) if isinstance(value, list) else 1
        elif isinstance(mine, list) and isinstance(value, list) and len(mine) == len(value):
            findings += [f"{name} {n}: {a}, iasl reads {b}" for n, (a, b) in enumerate(zip(mine, value)) if a != b]
        else:
            findings.append(f"{name} is {mine}, iasl reads {value}")
    return same, findings


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
    files = [path for path in files if path.name in ours]
    copies = [shutil.copyfile(path, work / f"{path.name}.dat") for path in files]
    texts, _ = iasl.read(command, *copies)
    for path, text in zip(files, texts):
        theirs = program_header(text) if path.name[:4] in ("DSDT", "SSDT") else expected(text)
        count, wrong = compare_table(ours[path.name], theirs)
        same += count
        findings += [f"{path}: {finding}" for finding in wrong + ours[path.name]["errors"]]
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
