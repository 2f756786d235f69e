"""Compares the README's table of a dom0 with and without hv-glue with what the boots of this run had: pages to one
in a hundred, since another kernel package keeps another range of dom0's memory; all else as it stands.

Usage: xen_table.py TABLE README, where TABLE is what xen_boots.py wrote.
"""

import pathlib
import re
import sys

# The README's rows, and the boots that they are of.
BOOTS = {"stock": "stock", "with hv-glue": "3x2"}
README_HEADER = re.compile(r"^ *\| Xen [0-9.]+ \| nodes \| SRAT \| packages \| distances \| .*\|\n", re.M)


def rows(table: str) -> dict[str, list[str]]:
    """Name -> the other cells, of a table without its header."""
    found = {}
    for line in table.splitlines():
        if not line.strip().startswith("|"):
            break
        name, *cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        found[name] = cells
    return found


def pages(cell: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d+(?:,\d{3})*", cell)]


def close(said: list[int], seen: list[int]) -> bool:
    return len(said) == len(seen) and all(abs(a - b) * 100 <= b for a, b in zip(said, seen))


def main() -> int:
    run, readme = (pathlib.Path(path) for path in sys.argv[1:3])
    seen = rows(run.read_text())
    header = README_HEADER.search(readme.read_text())
    if header is None:
        print(f"{readme}: no table of Xen's boots")
        return 1
    said = rows(readme.read_text()[header.end() :])
    good = set(said) - {"---"} == set(BOOTS)
    if not good:
        print(f"{readme}: rows {sorted(said)} where {sorted(BOOTS)} are right")
    for name, boot in BOOTS.items():
        *facts, said_pages = said.get(name, [""])
        *right, seen_pages = seen.get(boot, [""])
        if not right or facts != right or not close(pages(said_pages), pages(seen_pages)):
            print(f"{readme}: {name}: {' | '.join([*facts, said_pages])}, where this run has {' | '.join([*right, seen_pages])}")
            good = False
    if good:
        print(f"{readme}: the table of Xen's boots is that of this run")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
