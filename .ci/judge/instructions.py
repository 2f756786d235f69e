"""Counts the instructions of the benchmarks' cases with callgrind and compares them with a committed baseline.

The counts do not depend on the machine, its load or its CPU model:
- Counted is what a function named counted_* executes, not the program's start.
- Rust code is compiled for the baseline x86-64. The C library's memory functions, which are selected by CPU model, are
  replaced by counted-memory.S. Code of any other file in a count is an error; an allocation would be one.
- They depend on the compiler. With another compiler than the baseline's, only results and growth are checked.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BASELINE = pathlib.Path(__file__).with_suffix(".tsv")
BLESS = "BLESS=1 ./ci.sh benchmark"
# A count may differ from the baseline by this factor; growth may exceed that of the size by as much.
TOLERANCE = 1.05


@dataclasses.dataclass(frozen=True)
class Case:
    """One case of a benchmark. Linear growth is checked between its last two sizes."""

    bench: str
    name: str
    sizes: tuple[int, ...]


CASES = [
    Case("tables", "set", (64, 512, 4096, 16_384)),
    Case("tables", "set-ranges", (256, 2048)),
    Case("tables", "complete", (4096, 16_384)),
    Case("tables", "check", (4096, 16_384)),
    Case("tables", "check-ranges", (256, 2048)),
    Case("plan", "ids", (4096, 16_384)),
    # Up to 60 blocks no pieces of a node are merged to keep the map within its 120 entries.
    Case("plan", "plan", (14, 56)),
]


@dataclasses.dataclass(frozen=True)
class Count:
    """What one run gave."""

    instructions: int
    result: int  # bytes of tables, findings, allocations of a plan


def compiler() -> str:
    """The parts of rustc's version that decide code generation."""
    said = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    version = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
    return f"rustc {version['release']}, LLVM {version['LLVM version']}, {version['host']}"


def by_function(profile: str) -> collections.Counter[tuple[str, str]]:
    """(object file, function) -> instructions of its own, from callgrind's uncompressed output."""
    cost, file, function, of_callee = collections.Counter(), "", "", False
    for line in profile.splitlines():
        if line.startswith("ob="):
            file = line[3:]
        elif line.startswith("fn="):
            function = line[3:]
        elif line.startswith("calls="):
            of_callee = True
        elif re.match(r"[0-9]", line):
            cost[file, function] += 0 if of_callee else int(line.split()[1])
            of_callee = False
    return cost


def count(program: pathlib.Path, memory: pathlib.Path, case: str, size: int) -> Count:
    """Runs one case under callgrind."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        command = ["valgrind", "--command-line-only=yes", "--tool=callgrind", "--toggle-collect=*::counted_*", "--compress-strings=no", "--compress-pos=no",
                   f"--callgrind-out-file={out}", program, "once", case, str(size)]  # fmt: skip
        # A relative path: LD_PRELOAD has no way to write a space or a colon.
        preload = {"LD_PRELOAD": f"./{memory.name}"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=memory.parent, env=os.environ | preload)
        if done.returncode:
            raise RuntimeError(f"{case} {size} fails under callgrind: {done.stderr}")
        profile = out.read_text()
    cost = +by_function(profile)  # Without callers outside of what is counted.
    total = re.search(r"^(?:totals|summary): ([0-9]+)", profile, re.M)
    if not total or sum(cost.values()) != int(total[1]) or not cost:
        raise RuntimeError(f"{case} {size}: {sum(cost.values())} instructions by function; expected callgrind's total, {total and total[1]}")
    own = {str(program), str(memory)}
    if others := sorted({f"{function} of {file}" for file, function in cost if file not in own}):
        raise RuntimeError(f"{case} {size} executes {', '.join(others)}; expected the program's code and memory functions only")
    return Count(sum(cost.values()), int(done.stdout))


def read(text: str) -> tuple[str, dict[tuple[str, str, int], Count]]:
    """The baseline's compiler and counts."""
    head, _, *rows = text.splitlines()
    fields = [row.split("\t") for row in rows]
    return head.removeprefix("# "), {(bench, case, int(size)): Count(int(n), int(result)) for bench, case, size, n, result in fields}


def write(counts: dict[tuple[str, str, int], Count]) -> str:
    rows = [f"{bench}\t{case}\t{size}\t{it.instructions}\t{it.result}" for (bench, case, size), it in counts.items()]
    return "\n".join([f"# {compiler()}", "# benchmark, case, size, instructions, result", *rows, ""])


def against_baseline(counts: dict[tuple[str, str, int], Count], baseline: dict[tuple[str, str, int], Count], same_compiler: bool) -> list[str]:
    """What differs from the baseline."""
    found = []
    if counts.keys() != baseline.keys():
        found.append(f"cases not in both: {sorted(counts.keys() ^ baseline.keys())}")
    for key in counts.keys() & baseline.keys():
        name, have, expected = " ".join(map(str, key)), counts[key], baseline[key]
        if have.result != expected.result:
            found.append(f"{name}: result {have.result}; expected {expected.result}")
        if same_compiler and not 1 / TOLERANCE <= have.instructions / expected.instructions <= TOLERANCE:
            found.append(f"{name}: {have.instructions} instructions, {have.instructions / expected.instructions:.3f} times the baseline;"
                         f" expected {expected.instructions}, at most {TOLERANCE} times more or less")  # fmt: skip
    return sorted(found)


def growth(counts: dict[tuple[str, str, int], Count]) -> list[str]:
    """What grows by more than its size."""
    found = []
    for case in CASES:
        small, large = case.sizes[-2:]
        limit = large / small * TOLERANCE
        factor = counts[case.bench, case.name, large].instructions / counts[case.bench, case.name, small].instructions
        print(f"{case.bench} {case.name}: from {small} to {large} instructions grow {factor:.2f} times, at most {limit:.2f}")
        if factor > limit:
            found.append(f"{case.bench} {case.name}: instructions grow {factor:.2f} times from {small} to {large}; expected at most {limit:.2f}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=pathlib.Path, required=True, help="shared object of counted-memory.S")
    parser.add_argument("--bless", action="store_true", help="write the counts as the new baseline")
    parser.add_argument("program", nargs="+", metavar="BENCH=PROGRAM")
    options = parser.parse_args()
    programs = {name: pathlib.Path(path).resolve() for name, _, path in (text.partition("=") for text in options.program)}
    keys = [(case.bench, case.name, size) for case in CASES for size in case.sizes]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        done = pool.map(lambda key: count(programs[key[0]], options.memory.resolve(), *key[1:]), keys)
        counts = dict(zip(keys, done, strict=True))
    for (bench, case, size), it in counts.items():
        print(f"{bench:8} {case:14} {size:6} {it.instructions:12,} instructions {it.instructions / size:10.1f} each   result {it.result}")
    if options.bless:
        BASELINE.write_text(write(counts))
        print(f"wrote {BASELINE}")
    of, baseline = read(BASELINE.read_text())
    if of != compiler():
        print(f"the baseline is that of {of}, this is {compiler()}: only results and growth are checked")
    found = against_baseline(counts, baseline, of == compiler()) + growth(counts)
    for text in found:
        print(f"error: {text}", file=sys.stderr)
    if found:
        print(f"if the change is intended, also an improvement: {BLESS}, and commit {BASELINE.name}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
