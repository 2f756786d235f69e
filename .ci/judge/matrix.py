"""Prints the consumers that judged our tables in this run, as the stages wrote them down after they passed, and
compares them with the table of the README, if there is one. There, "7.2 or newer" is any version from that one on, and "2022.11" any
point release of it.

Usage: matrix.py FOLDER [README]
"""

import pathlib
import re
import sys

HEADER = "| consumer | version | what it judged |"


def rows(folder: pathlib.Path) -> dict[tuple[str, str], str]:
    """(consumer, version) -> all that it judged."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted(folder.glob("*.tsv")):
        for line in path.read_text().splitlines():
            consumer, version, what = line.split("\t")
            if not re.fullmatch(r"\d[\d.]*", version):
                sys.exit(f"{path}: {consumer} has no version: {line!r}")
            found.setdefault((consumer, version), []).append(what)
    return {key: "; ".join(dict.fromkeys(texts)) for key, texts in found.items()}


def documented(readme: pathlib.Path) -> list[list[str]]:
    table = readme.read_text().partition(HEADER)[2].lstrip("\n").partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[1:]]


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def same(said: list[str], consumer: str, version: str, what: str) -> bool:
    least, newer, _ = said[1].partition(" or newer")
    ran, least_number = number(version), number(least)
    fits = ran >= least_number if newer else ran[: len(least_number)] == least_number
    return [said[0], said[2]] == [consumer, what] and fits


def main() -> int:
    run = rows(pathlib.Path(sys.argv[1]))
    print(HEADER, "|---|---|---|", sep="\n")
    for (consumer, version), what in run.items():
        print(f"| {consumer} | {version} | {what} |")
    if len(sys.argv) < 3:
        return 0 if run else 1
    left, findings = documented(pathlib.Path(sys.argv[2])), []
    # The newest version first, each to the row with the highest least version, so that no row is left to an older one.
    for (consumer, version), what in sorted(run.items(), key=lambda item: number(item[0][1]), reverse=True):
        fitting = [row for row in left if same(row, consumer, version, what)]
        if fitting:
            left.remove(max(fitting, key=lambda row: number(row[1].partition(" or newer")[0])))
        else:
            findings.append(f"not in the README: {consumer} {version}: {what}")
    findings += [f"only in the README, run all stages for it: {' '.join(row)}" for row in left]
    print(*findings, sep="\n")
    return 1 if findings or not run else 0


if __name__ == "__main__":
    sys.exit(main())
