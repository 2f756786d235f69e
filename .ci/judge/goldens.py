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
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}
# iasl checks the OEM fields of a common header in a FACS, which has none: it takes
# the hardware signature's bytes for characters.
FACS_HAS_NO_HEADER = "Table header for [FACS] has invalid ASCII character(s)"


def number(value):
    if isinstance(value, int):
        return value
    for unit, shift in UNITS.items():
        if value.endswith(unit):
            return int(value[: -len(unit)], 0) << shift
    return int(value, 0)


def cpus(text):
    runs = [part.split("-") for part in text.split(",")] if text else []
    return [cpu for run in runs for cpu in range(int(run[0]), int(run[-1]) + 1)]


class Topology:
    """A topology file, worked out."""

    def __init__(self, path):
        file = tomllib.loads(path.read_text())
        apic = file.get("apic", {})
        self.nodes = file["node"]
        self.minor = int(file.get("acpi", "6.5")[2:])
        self.oem = {"id": "XEN", "table_id": "VNUMA", "revision": 1, **file.get("oem", {})}
        self.hybrid = apic.get("entries", "x2apic") == "hybrid"
        self.ioapics = file.get("ioapic", [])
        self.overrides = file.get("override", [])
        self.nmis = file.get("nmi", [])
        self.pxm, self.enabled, explicit = {}, {}, {}
        for node in self.nodes:
            present, absent = cpus(node.get("cpus", "")), cpus(node.get("cpus_hotplug", ""))
            for cpu in present + absent:
                self.pxm[cpu] = node["pxm"]
                self.enabled[cpu] = cpu in present
            explicit.update(zip(present + absent, map(number, node.get("apic_ids", []))))
        self.cpus = sorted(self.pxm)
        assert self.cpus == list(range(len(self.cpus)))
        encoding = apic.get("encoding", "package")
        if encoding == "package":
            stride = apic.get("stride", "auto")
            self.id = self.package(2 if stride == "auto" else stride)
            if stride == "auto" and max(self.id.values()) > 254:
                self.id = self.package(1)
        else:
            self.id = explicit if encoding == "explicit" else {c: 2 * c for c in self.cpus}
        self.memory = sorted(self.ranges())
        self.slit = self.distances(file.get("distance", {}))

    def package(self, stride):
        """(PXM << shift) | (offset * stride); the shift is what the largest node takes."""
        largest = max(list(self.pxm.values()).count(pxm) for pxm in set(self.pxm.values()))
        shift = (stride * largest - 1).bit_length()
        seen, ids = {}, {}
        for cpu in self.cpus:
            offset = seen.get(self.pxm[cpu], 0)
            seen[self.pxm[cpu]] = offset + 1
            ids[cpu] = self.pxm[cpu] << shift | offset * stride
        return ids

    def ranges(self):
        for node in self.nodes:
            for memory in node.get("memory", []):
                flags = 1
                if isinstance(memory, str):
                    start, end = map(number, memory.split("-"))
                else:
                    start = number(memory["start"])
                    end = number(memory["end"]) if "end" in memory else start + number(memory["size"])
                    flags |= memory.get("hotpluggable", False) << 1 | memory.get("nonvolatile", False) << 2
                yield start, end - start, node["pxm"], flags

    def distances(self, table):
        n = max(node["pxm"] for node in self.nodes) + 1
        slit = [[10 if i == j else 20 for j in range(n)] for i in range(n)]
        order = [node["pxm"] for node in self.nodes]
        cells = {(int(i), int(j)): v for i, row in table.items() if i != "matrix" for j, v in row.items()}
        for i, row in zip(order, table.get("matrix", [])):
            cells.update({(i, j): v for j, v in zip(order, row)})
        for (i, j), value in cells.items():
            slit[i][j] = 255 if value == "unreachable" else min(value, 254)
        return slit

    def type0(self, cpu):
        return self.hybrid and self.id[cpu] < 255

    def madt(self):
        """The entries as iasl names their fields."""
        for cpu in self.cpus:
            # Bit 1 says online-capable from MADT revision 5, ACPI 6.3, on.
            flags = 1 if self.enabled[cpu] else 2 if self.minor >= 3 else 0
            if self.type0(cpu):
                yield {"Subtable Type": 0, "Length": 8, "Processor ID": cpu, "Local Apic ID": self.id[cpu],
                       "Flags (decoded below)": flags}
            else:
                yield {"Subtable Type": 9, "Length": 16, "Reserved": 0, "Processor x2Apic ID": self.id[cpu],
                       "Flags (decoded below)": flags, "Processor UID": cpu}
        for ioapic in self.ioapics:
            yield {"Subtable Type": 1, "Length": 12, "I/O Apic ID": ioapic["id"], "Reserved": 0,
                   "Address": number(ioapic["address"]), "Interrupt": ioapic["gsi_base"]}
        for override in self.overrides:
            yield {"Subtable Type": 2, "Length": 10, "Bus": 0, "Source": override["source"],
                   "Interrupt": override["gsi"], "Flags (decoded below)": inti(override)}
        for nmi in self.nmis:
            uid, everyone = nmi["uid"], nmi["uid"] == "all"
            if all(map(self.type0, self.cpus)) if everyone else self.type0(uid):
                yield {"Subtable Type": 4, "Length": 6, "Processor ID": 0xFF if everyone else uid,
                       "Flags (decoded below)": inti(nmi), "Interrupt Input LINT": nmi["lint"]}
            else:
                yield {"Subtable Type": 10, "Length": 12, "Flags (decoded below)": inti(nmi),
                       "Processor UID": 0xFFFFFFFF if everyone else uid, "Interrupt Input LINT": nmi["lint"],
                       "Reserved": 0}

    def srat(self):
        for cpu in self.cpus:
            pxm = self.pxm[cpu]
            if self.type0(cpu):
                yield {"Subtable Type": 0, "Length": 16, "Proximity Domain Low(8)": pxm & 0xFF,
                       "Apic ID": self.id[cpu], "Flags (decoded below)": 1, "Local Sapic EID": 0,
                       "Proximity Domain High(24)": pxm >> 8, "Clock Domain": 0}
            else:
                yield {"Subtable Type": 2, "Length": 24, "Reserved1": 0, "Proximity Domain": pxm,
                       "Apic ID": self.id[cpu], "Flags (decoded below)": 1, "Clock Domain": 0, "Reserved2": 0}
        for start, size, pxm, flags in self.memory:
            yield {"Subtable Type": 1, "Length": 40, "Proximity Domain": pxm, "Reserved1": 0, "Base Address": start,
                   "Address Length": size, "Reserved2": 0, "Flags (decoded below)": flags, "Reserved3": 0}


def inti(entry):
    polarity = {"conforming": 0, "high": 1, "low": 3}[entry.get("polarity", "conforming")]
    return polarity | {"conforming": 0, "edge": 4, "level": 12}[entry.get("trigger", "conforming")]


FIELD = re.compile(r"^\[[^]]*\]\s+(.*?) : (.*)$")


def fields(text):
    """(name, value) of each line of iasl's text that has an offset."""
    return [match.groups() for match in map(FIELD.match, text.splitlines()) if match]


def value(text):
    return text.strip('"') if text.startswith('"') else int(text.split()[0], 16)


def entries(rows):
    found = []
    for name, text in rows:
        if name == "Subtable Type":
            found.append({})
        if found:
            found[-1][name] = value(text)
    return found


def same(what, found, expected):
    """Field by field, so that a difference has a name."""
    assert len(found) == len(expected), f"{what}: {len(found)} entries, {len(expected)} are right"
    for index, (one, other) in enumerate(zip(found, expected)):
        assert one == other, f"{what}: entry {index} is {one}, right is {other}"


def check_table(name, file, topology, text):
    rows = fields(text)
    head = {key: value(text) for key, text in rows[:9] if key != "Checksum"}
    revisions = {"apic": 4 if topology.minor < 3 else 5 if topology.minor < 5 else topology.minor + 1,
                 "facp": 6, "srat": 3, "slit": 1, "xsdt": 1}
    stem = file.removesuffix(".dat")
    what = f"{name}/{file}"
    if stem in revisions:
        assert head["Revision"] == revisions[stem], f"{what}: revision {head['Revision']}"
        assert head["Oem ID"] == topology.oem["id"] and head["Oem Table ID"] == topology.oem["table_id"], what
        assert head["Oem Revision"] == topology.oem["revision"], what
    if stem == "apic":
        assert ("Local Apic Address", "FEE00000") in rows, what
        assert ("Flags (decoded below)", "00000000") == rows[10], what
        same(what, entries(rows), list(topology.madt()))
    elif stem == "srat":
        same(what, entries(rows), list(topology.srat()))
    elif stem == "slit":
        assert int(dict(rows)["Localities"], 16) == len(topology.slit), what
        cells = [int(c, 16) for line in matrix_lines(text) for c in line.split()]
        assert cells == [c for row in topology.slit for c in row], f"{what}: distances differ"
    elif stem == "facp":
        assert int(dict(rows)["FADT Minor Revision"], 16) & 0xF == topology.minor, what
        assert re.search(r"Hardware Reduced \(V5\) : 1", text), what
    elif stem == "dsdt":
        check_dsdt(what, topology, text)


def matrix_lines(text):
    """The rows of a SLIT, which iasl breaks after 16 cells."""
    keep = False
    for line in text.splitlines():
        match = re.match(r"^\[[^]]*\]\s+Locality\s+\d+ : (.*)$", line)
        if match:
            keep = True
            yield match.group(1).rstrip("\\ ")
        elif keep and re.match(r"^\s+([0-9A-F]{2}\s*)+\\?$", line):
            yield line.strip().rstrip("\\ ")
        else:
            keep = False


def check_dsdt(what, topology, text):
    devices = re.findall(r'Name \(_HID, "ACPI0007"', text)
    assert len(devices) == len(topology.cpus), f"{what}: {len(devices)} processor devices"
    constant = {"Zero": 0, "One": 1}
    def names(key):
        found = re.findall(rf"(?:Name|Method) \({key}, (\w+)", text)
        return [constant[v] if v in constant else int(v, 16) for v in found]
    assert names("_UID") == topology.cpus, f"{what}: _UID"
    assert names("_PXM") == [topology.pxm[c] for c in topology.cpus], f"{what}: _PXM"
    assert names("_STA") == [0xF if topology.enabled[c] else 0 for c in topology.cpus], f"{what}: _STA"


def main():
    acpi_gen = pathlib.Path(sys.argv[1]).resolve()
    iasl = sys.argv[2:]
    version = subprocess.run([*iasl, "-v"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d{8})", version).group(1)
    committed_text = version == "20200925"
    tables = 0
    for path in sorted((ROOT / "fixtures/topologies").glob("*.toml")):
        name, topology = path.stem, Topology(path)
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
                run = subprocess.run([*iasl, "-d", file.name], cwd=folder, capture_output=True, text=True)
                said = run.stdout + run.stderr
                for line in said.splitlines():
                    bad = re.search(r"warning|error|invalid|unknown", line, re.IGNORECASE)
                    assert not bad or FACS_HAS_NO_HEADER in line, f"{name}/{file.name}: iasl: {line}"
                assert run.returncode == 0, f"{name}/{file.name}: {said}"
                text = file.with_suffix(".dsl").read_text()
                if committed_text and file.name not in sums and (golden / file.name).exists():
                    check_text(name, file.name, text, (golden / file.name).with_suffix(".dsl").read_text())
                check_table(name, file.name, topology, text)
                tables += 1
        assert not sums, f"{name}: {sums} were not made"
    print(f"{tables} tables: iasl {version} reads what the topologies say")


def check_text(name, file, text, committed):
    body = text.split("*/\n", 1)[1].split("\nRaw Table Data")[0].strip()
    body = "\n".join(line.rstrip() for line in body.splitlines()) + "\n"
    assert body == committed, f"{name}/{file}: the committed disassembly is not iasl's"


if __name__ == "__main__":
    main()
