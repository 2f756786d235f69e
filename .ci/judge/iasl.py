"""ACPI tables as iasl, ACPICA's disassembler, reads them."""

import pathlib
import re
import subprocess

FIELD = re.compile(r"^\[[^]]*\]\s+(.*?) : (.*)$")
LOCALITY = re.compile(r"^\[[^]]*\]\s+Locality\s+\d+ : (.*)$")
# iasl checks the OEM fields of a common header in a FACS, which has none: it takes
# the hardware signature's bytes for characters.
FACS_HAS_NO_HEADER = "Table header for [FACS] has invalid ASCII character(s)"


class Complaint(Exception):
    """iasl refuses a table or warns of it."""


def version(iasl: list[str]) -> str:
    """As in 20250404."""
    said = subprocess.run([*iasl, "-v"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (\d{8})", said).group(1)


def read(iasl: list[str], *tables: pathlib.Path) -> tuple[list[str], str]:
    """The texts of tables in one folder, which iasl writes beside them, and what it said meanwhile."""
    names = [table.name for table in tables]
    run = subprocess.run([*iasl, "-d", *names], cwd=tables[0].parent, capture_output=True, text=True)
    said = run.stdout + run.stderr
    if run.returncode:
        raise Complaint(f"{', '.join(names)}: {said}")
    return [table.with_suffix(".dsl").read_text() for table in tables], said


def disassemble(iasl: list[str], table: pathlib.Path) -> str:
    """The table's text, where iasl has nothing to complain of."""
    (text,), said = read(iasl, table)
    for line in said.splitlines():
        if re.search(r"warning|error|invalid|unknown", line, re.IGNORECASE) and FACS_HAS_NO_HEADER not in line:
            raise Complaint(f"{table.name}: {line}")
    return text


def fields(text: str) -> list[tuple[str, str]]:
    """(name, value) of each line of iasl's text that has an offset."""
    return [match.groups() for match in map(FIELD.match, text.splitlines()) if match]


def value(text: str) -> int | str:
    """A field's value: text in quotes, else a hexadecimal number."""
    return text.split('"')[1] if text.startswith('"') else int(text.split()[0], 16)


def entries(rows: list[tuple[str, str]]) -> list[dict[str, int | str]]:
    """The sub-tables of a MADT or SRAT, each as field -> value."""
    found: list[dict[str, int | str]] = []
    for name, text in rows:
        if name == "Subtable Type":
            found.append({})
        if found:
            found[-1][name] = value(text)
    return found


def distances(text: str) -> list[int]:
    """The cells of a SLIT row by row; iasl breaks rows after 16 cells."""
    cells = []
    in_row = False
    for line in text.splitlines():
        match = LOCALITY.match(line)
        row = match.group(1) if match else line if in_row and re.match(r"^\s+([0-9A-F]{2}\s*)+\\?$", line) else ""
        in_row = bool(row)
        cells += [int(cell, 16) for cell in row.rstrip("\\ ").split()]
    return cells
