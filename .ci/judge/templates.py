"""iasl's own templates of tables, with random bytes in every field: `acpi-gen decode` has to print each field as iasl
does."""

import argparse
import json
import pathlib
import random
import struct
import subprocess
import sys
from collections.abc import Callable

import host_tables
import iasl

# Where the first entry is, how its length is found, and what else has to stay as it is, as (type, offset, bytes).
BYTE = lambda table, at: table[at + 1]
ENTRIES: dict[str, tuple[int, int, Callable[[bytes, int], int], list[tuple[int | None, int, int]]]] = {
    "APIC": (44, 2, BYTE, [(7, 16, 8)]),
    "SRAT": (48, 2, BYTE, [(5, 3, 1), (6, 3, 1)]),
    "HMAT": (40, 8, lambda table, at: struct.unpack_from("<I", table, at + 4)[0], [(1, 12, 8), (2, 30, 2)]),
    "PPTT": (36, 2, BYTE, [(0, 16, 4)]),
    "MSCT": (56, 2, BYTE, []),
    "CEDT": (36, 4, lambda table, at: struct.unpack_from("<H", table, at + 2)[0], [(1, 24, 1), (2, 7, 1)]),
    "MCFG": (44, 0, lambda table, at: 16, []),
    "SPCR": (84, 0, lambda table, at: len(table) - at, [(None, 0, 6)]),
    "HPET": (56, 0, lambda table, at: 0, []),
}
# Tables whose bytes in front of the entries hold no field that is compared, or one that says where they are.
FIXED_HEAD = {"APIC": 44, "SRAT": 48, "MSCT": 40}
# Entries that iasl decodes and that its templates do not have: a cache with an ID, a generic port, an XOR map.
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "PPTT": lambda template: template[:60] + bytes([1, 28]) + bytes(26) + template[84:],
    "SRAT": lambda template: template + bytes([6, 32, 0, 1]) + bytes(28),
    "CEDT": lambda template: template + struct.pack("<BBHHBB", 2, 0, 24, 0, 0, 2) + bytes(16),
}
# Revisions with other fields than the template's.
REVISIONS = {"PPTT": (3,), "HMAT": (1, 2)}
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
    struct.pack_into("<I", table, 4, len(table))
    table[9] = 0
    table[9] = -sum(table) & 0xFF
    return bytes(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iasl", nargs="+", required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng, good = random.Random(options.seed), True
    make = lambda *arguments: subprocess.run([*options.iasl, *arguments], cwd=options.out, check=True, capture_output=True)
    for name in ENTRIES:
        make("-T", name)
        make(f"{name.lower()}.asl")
        template = (options.out / f"{name.lower()}.aml").read_bytes()
        template = CHANGES.get(name, bytes)(template)
        tables = [options.out / f"{name.lower()}-{number}.dat" for number in range(ROUNDS)]
        for number, table in enumerate(tables):
            revisions = REVISIONS.get(name, (template[8],))
            revision = bytes([revisions[number % len(revisions)]])
            table.write_bytes(randomised(name, template[:8] + revision + template[9:], rng))
        texts, _ = iasl.read(options.iasl, *tables)
        run = subprocess.run([options.acpi_gen, "decode", "--json", *tables], capture_output=True, text=True)
        same = 0
        for text, decoded in zip(texts, json.loads(run.stdout)):
            count, wrong = host_tables.compare_table(decoded, host_tables.expected(text))
            same += count
            for finding in wrong + decoded["errors"]:
                good = False
                print(f"{decoded['file']}: {finding}")
        print(f"{name}: {same} fields as iasl reads them")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
