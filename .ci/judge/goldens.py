#!/usr/bin/env python3
"""Judges the golden tables by two readers that are not ours.

What each table must say is computed here from the topology file, by the rules of
the formats and of ACPI 6.5, and compared with what iasl reads in the bytes: every
entry in its order, every field, every distance. iasl must have nothing to complain
of, and where it is bookworm's its text must be the committed one. Tables too large
to be kept as bytes are made anew and must have the committed SHA-256.

Usage: goldens.py ACPI_GEN IASL...   (a command of one or more words, with absolute paths)
"""

import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile

import iasl
import qemu
import topology

ROOT = pathlib.Path(__file__).resolve().parents[2]


def type0(of, cpu):
    return of.hybrid and of.cpus[cpu].apic_id < 255


def madt(of):
    """The entries as iasl names their fields."""
    for number, cpu in enumerate(of.cpus):
        # Bit 1 says online-capable from MADT revision 5, ACPI 6.3, on.
        flags = 1 if cpu.enabled else 2 if of.minor >= 3 else 0
        if type0(of, number):
            yield {"Subtable Type": 0, "Length": 8, "Processor ID": number, "Local Apic ID": cpu.apic_id,
                   "Flags (decoded below)": flags}
        else:
            yield {"Subtable Type": 9, "Length": 16, "Reserved": 0, "Processor x2Apic ID": cpu.apic_id,
                   "Flags (decoded below)": flags, "Processor UID": number}
    for ioapic in of.ioapics:
        yield {"Subtable Type": 1, "Length": 12, "I/O Apic ID": ioapic["id"], "Reserved": 0,
               "Address": topology.number(ioapic["address"]), "Interrupt": ioapic["gsi_base"]}
    for override in of.overrides:
        yield {"Subtable Type": 2, "Length": 10, "Bus": 0, "Source": override["source"],
               "Interrupt": override["gsi"], "Flags (decoded below)": inti(override)}
    for nmi in of.nmis:
        uid, everyone = nmi["uid"], nmi["uid"] == "all"
        if all(type0(of, cpu) for cpu in range(len(of.cpus))) if everyone else type0(of, uid):
            yield {"Subtable Type": 4, "Length": 6, "Processor ID": 0xFF if everyone else uid,
                   "Flags (decoded below)": inti(nmi), "Interrupt Input LINT": nmi["lint"]}
        else:
            yield {"Subtable Type": 10, "Length": 12, "Flags (decoded below)": inti(nmi),
                   "Processor UID": 0xFFFFFFFF if everyone else uid, "Interrupt Input LINT": nmi["lint"],
                   "Reserved": 0}


def srat(of):
    for number, cpu in enumerate(of.cpus):
        if type0(of, number):
            yield {"Subtable Type": 0, "Length": 16, "Proximity Domain Low(8)": cpu.pxm & 0xFF,
                   "Apic ID": cpu.apic_id, "Flags (decoded below)": 1, "Local Sapic EID": 0,
                   "Proximity Domain High(24)": cpu.pxm >> 8, "Clock Domain": 0}
        else:
            yield {"Subtable Type": 2, "Length": 24, "Reserved1": 0, "Proximity Domain": cpu.pxm,
                   "Apic ID": cpu.apic_id, "Flags (decoded below)": 1, "Clock Domain": 0, "Reserved2": 0}
    for memory in of.memory:
        flags = 1 | memory.hotpluggable << 1 | memory.nonvolatile << 2
        yield {"Subtable Type": 1, "Length": 40, "Proximity Domain": memory.pxm, "Reserved1": 0,
               "Base Address": memory.start, "Address Length": memory.end - memory.start, "Reserved2": 0,
               "Flags (decoded below)": flags, "Reserved3": 0}


def inti(entry):
    polarity = {"conforming": 0, "high": 1, "low": 3}[entry.get("polarity", "conforming")]
    return polarity | {"conforming": 0, "edge": 4, "level": 12}[entry.get("trigger", "conforming")]


def same(what, found, expected):
    """Field by field, so that a difference has a name."""
    assert len(found) == len(expected), f"{what}: {len(found)} entries, {len(expected)} are right"
    for index, (one, other) in enumerate(zip(found, expected)):
        assert one == other, f"{what}: entry {index} is {one}, right is {other}"


def check_table(name, file, of, text):
    rows = iasl.fields(text)
    head = {key: iasl.value(text) for key, text in rows[:9] if key != "Checksum"}
    revisions = {"apic": 4 if of.minor < 3 else 5 if of.minor < 5 else of.minor + 1,
                 "facp": 6, "srat": 3, "slit": 1, "xsdt": 1}
    stem = file.removesuffix(".dat")
    what = f"{name}/{file}"
    if stem in revisions:
        assert head["Revision"] == revisions[stem], f"{what}: revision {head['Revision']}"
        assert head["Oem ID"] == of.oem["id"] and head["Oem Table ID"] == of.oem["table_id"], what
        assert head["Oem Revision"] == of.oem["revision"], what
    if stem == "apic":
        assert ("Local Apic Address", "FEE00000") in rows, what
        assert ("Flags (decoded below)", "00000000") == rows[10], what
        same(what, iasl.entries(rows), list(madt(of)))
    elif stem == "srat":
        same(what, iasl.entries(rows), list(srat(of)))
    elif stem == "slit":
        assert int(dict(rows)["Localities"], 16) ** 2 == len(of.slit()), what
        assert iasl.distances(text) == of.slit(), f"{what}: distances differ"
    elif stem == "facp":
        assert int(dict(rows)["FADT Minor Revision"], 16) & 0xF == of.minor, what
        assert re.search(r"Hardware Reduced \(V5\) : 1", text), what
    elif stem == "dsdt":
        check_dsdt(what, of, text)


def check_dsdt(what, of, text):
    devices = re.findall(r'Name \(_HID, "ACPI0007"', text)
    assert len(devices) == len(of.cpus), f"{what}: {len(devices)} processor devices"
    constant = {"Zero": 0, "One": 1}
    def names(key):
        found = re.findall(rf"(?:Name|Method) \({key}, (\w+)", text)
        return [constant[v] if v in constant else int(v, 16) for v in found]
    assert names("_UID") == list(range(len(of.cpus))), f"{what}: _UID"
    assert names("_PXM") == [cpu.pxm for cpu in of.cpus], f"{what}: _PXM"
    assert names("_STA") == [0xF if cpu.enabled else 0 for cpu in of.cpus], f"{what}: _STA"


def main():
    acpi_gen = pathlib.Path(sys.argv[1]).resolve()
    command = sys.argv[2:]
    version = iasl.version(command)
    committed_text = version == "20200925"

    def judge(path):
        """How many tables of this topology are right."""
        name, of, tables = path.stem, topology.read(path), 0
        golden = ROOT / "fixtures/golden" / name
        sums = dict(reversed(line.split()) for line in (golden / "SHA256SUMS").read_text().splitlines())
        with tempfile.TemporaryDirectory() as folder:
            complete = ["--complete"] if any(golden.glob("facp.*")) else []
            subprocess.run([acpi_gen, "emit", path, "--out", folder, *complete], check=True, capture_output=True)
            for file in sorted(pathlib.Path(folder).iterdir()):
                bytes_ = file.read_bytes()
                if file.name in sums:
                    assert hashlib.sha256(bytes_).hexdigest() == sums.pop(file.name), f"{name}/{file.name}: SHA-256"
                else:
                    assert bytes_ == (golden / file.name).read_bytes(), f"{name}/{file.name}: bytes"
                if file.name in ("rsdp.dat", "tables.bin"):
                    continue
                text = iasl.disassemble(command, file)
                if committed_text and file.name not in sums and (golden / file.name).exists():
                    check_text(name, file.name, text, (golden / file.name).with_suffix(".dsl"))
                check_table(name, file.name, of, text)
                tables += 1
        assert not sums, f"{name}: {sums} were not made"
        return tables

    paths = sorted((ROOT / "fixtures/topologies").glob("*.toml"))
    tables = sum(result() for _, result in qemu.side_by_side(judge, paths))
    print(f"{tables} tables: iasl {version} reads what the topologies say")


def check_text(name, file, text, committed):
    body = text.split("*/\n", 1)[1].split("\nRaw Table Data")[0].strip()
    body = "\n".join(line.rstrip() for line in body.splitlines()) + "\n"
    assert committed.exists() and body == committed.read_text(), \
        f"{name}/{file}: {committed.name} is not iasl's text; expected what CONTRIBUTING.md, \"Bless goldens\", writes"


if __name__ == "__main__":
    main()
