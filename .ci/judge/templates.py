"""iasl's own templates of tables, with random bytes in every field: `acpi-gen decode` has to print the numbers that
iasl prints, entry for entry."""

import argparse
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
from collections.abc import Callable

# Where the first entry is, how its length is found, and what else has to stay as it is, as (type, offset, bytes).
BYTE = lambda table, at: table[at + 1]
ENTRIES: dict[str, tuple[int, int, Callable[[bytes, int], int], list[tuple[int | None, int, int]]]] = {
    "APIC": (44, 2, BYTE, [(7, 16, 8)]),
    "SRAT": (48, 2, BYTE, [(5, 3, 1), (6, 3, 1)]),
    "HMAT": (40, 8, lambda table, at: struct.unpack_from("<I", table, at + 4)[0], [(1, 12, 8), (2, 30, 2)]),
    "PPTT": (36, 2, BYTE, [(0, 16, 4)]),
    "MSCT": (56, 2, BYTE, []),
    "CEDT": (36, 4, lambda table, at: struct.unpack_from("<H", table, at + 2)[0], [(1, 24, 1)]),
    "MCFG": (44, 0, lambda table, at: 16, []),
    "SPCR": (84, 0, lambda table, at: len(table) - at, [(None, 0, 6)]),
    "HPET": (56, 0, lambda table, at: 0, []),
}
# Tables whose bytes in front of the entries hold no field that is compared, or one that says where they are.
FIXED_HEAD = {"APIC": 44, "SRAT": 48, "MSCT": 40}
ROUNDS = 5


def randomised(name: str, template: bytes, rng: random.Random) -> bytes:
    first, head, length, more = ENTRIES[name]
    keep = set(range(FIXED_HEAD.get(name, 36)))
    at = first
    while at < len(template):
        keep.update(range(at, at + head))
        for kind, offset, count in more:
            if kind is None or template[at] == kind:
                keep.update(range(at + offset, at + offset + count))
        at += length(template, at)
    table = bytearray(byte if at in keep else rng.randrange(256) for at, byte in enumerate(template))
    table[9] = 0
    table[9] = -sum(table) & 0xFF
    return bytes(table)


def numbers(value: object) -> list[int]:
    """All numbers of a decoded table, but for places, types and what the header has."""
    if isinstance(value, dict):
        skipped = ("offset", "type", "length", "revision", "oem_revision")
        return [number for key, inner in value.items() if key not in skipped for number in numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in numbers(inner)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def of_iasl(text: str) -> list[int]:
    """The numbers that iasl prints; SRAT type 0 has its domain in two of them."""
    found, low = [], None
    for name, value in re.findall(r"^\[[0-9A-F]+h [0-9]+ [0-9A-F]+h?\]\s+([^:]+?) : ([0-9A-F]+)(?: \[.*)?$", text, re.M):
        if "Proximity Domain Low" in name:
            low = int(value, 16)
        elif "Proximity Domain High" in name:
            found.append(low | int(value, 16) << 8)
        found.append(int(value, 16))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iasl", nargs="+", required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng, good = random.Random(options.seed), True
    iasl = lambda *arguments: subprocess.run([*options.iasl, *arguments], cwd=options.out, check=True, capture_output=True)
    for name in ENTRIES:
        iasl("-T", name)
        iasl(f"{name.lower()}.asl")
        template = (options.out / f"{name.lower()}.aml").read_bytes()
        compared = 0
        for _ in range(ROUNDS):
            (options.out / "random.dat").write_bytes(randomised(name, template, rng))
            (options.out / "random.dsl").unlink(missing_ok=True)
            iasl("-d", "random.dat")
            theirs = of_iasl((options.out / "random.dsl").read_text())
            run = subprocess.run([options.acpi_gen, "decode", "--json", options.out / "random.dat"], capture_output=True, text=True)
            decoded = json.loads(run.stdout)[0]
            ours = numbers({key: decoded[key] for key in decoded if key not in ("file", "pcat_compat")})
            wrong = [hex(number) for number in ours if number not in theirs] + decoded["errors"]
            if wrong or not ours:
                good = False
                print(f"{name}: not what iasl says: {wrong}")
            compared += len(ours)
        print(f"{name}: {compared} numbers")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
