"""Random topologies: acpi-gen's tables of each, read by iasl, have to say what the file means, field by
field. The reader of the file and the rules of the tables are those of goldens.py, none of them ours.

Usage: random_topologies.py COUNT SEED ACPI_GEN IASL...   (a command of one or more words, with absolute paths)
"""

import pathlib
import random
import subprocess
import sys
import tempfile

import goldens
import iasl
import qemu
import topology

PAGE = 4096


def cpulist(cpus: list[int]) -> str:
    """As a user writes it: runs where there are any."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and runs[-1][-1] == cpu - 1:
            runs[-1].append(cpu)
        else:
            runs.append([cpu])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def size(bytes_: int, dice: random.Random) -> str:
    for unit, shift in reversed(topology.UNITS.items()):
        if bytes_ % (1 << shift) == 0 and dice.random() < 0.7:
            return f'"{bytes_ >> shift}{unit}"'
    return dice.choice([f'"{bytes_:#x}"', str(bytes_)])


def document(dice: random.Random) -> str:
    """A topology file that is right, somewhere in all that the format can say."""
    nodes = dice.randint(1, 12)
    pxms = dice.sample(range(dice.choice([nodes, 16, 64, 300])), nodes) if dice.random() < 0.7 else list(range(nodes))
    pxms = list(dict.fromkeys(pxms))
    cpus = list(range(dice.choice([1, 2, 7, 24, 49, 128, 300])))
    if dice.random() < 0.5:
        dice.shuffle(cpus)
    owner = {cpu: dice.randrange(len(pxms)) for cpu in cpus}
    absent = {cpu for cpu in cpus if cpu and dice.random() < dice.choice([0, 0.2])}
    encoding = dice.choice(["package", "package", "legacy", "explicit"])
    hybrid = dice.random() < 0.4 and len(cpus) <= 256
    ids = dice.sample(range(dice.choice([len(cpus), 1000, 1 << 32 - 1])), len(cpus))
    lines = [f'acpi = "6.{dice.randrange(7)}"', "[oem]"]
    lines += [f'id = "{dice.choice(["A", "ACME", "SIXLET"])}"', f'table_id = "{dice.choice(["T", "EIGHTLET"])}"']
    lines += [f"revision = {dice.choice([0, 1, 0xFFFFFFFF])}", "[apic]", f'encoding = "{encoding}"']
    if encoding == "package" and dice.random() < 0.5:
        lines.append(f"stride = {dice.choice([1, 2])}")
    if encoding == "package" and dice.random() < 0.5:
        lines.append(f'numbering = "{dice.choice(["pxm", "dense"])}"')
    if hybrid:
        lines.append('entries = "hybrid"')
    at = 0
    for place, pxm in enumerate(pxms):
        own = sorted(cpu for cpu in cpus if owner[cpu] == place)
        here, later = [c for c in own if c not in absent], [c for c in own if c in absent]
        lines += ["[[node]]", f"pxm = {pxm}"]
        lines += [f'cpus = "{cpulist(here)}"'] if here or dice.random() < 0.5 else []
        lines += [f'cpus_hotplug = "{cpulist(later)}"'] if later else []
        if encoding == "explicit":
            lines.append(f"apic_ids = {[ids[cpu] for cpu in here + later]}")
        ranges = []
        # A node of nothing is no topology.
        for _ in range(dice.choice([0, 1, 1, 2, 3] if own else [1, 2, 3])):
            start = at + dice.choice([0, PAGE, 1 << 20, 1 << 30])
            bytes_ = dice.choice([1, PAGE, 640 << 10, 1 << 30, 7 << 30, 1 << 40])
            at = start + bytes_
            flags = f", hotpluggable = {str(dice.random() < 0.3).lower()}, nonvolatile = {str(dice.random() < 0.2).lower()}"
            form = dice.randrange(3)
            if form == 0:
                ranges.append(f'"{start:#x}-{at:#x}"')
            else:
                rest = f"size = {size(bytes_, dice)}" if form == 1 else f"end = {size(at, dice)}"
                ranges.append(f"{{ start = {size(start, dice)}, {rest}{flags} }}")
        lines.append(f"memory = [{', '.join(ranges)}]")
    cell = lambda: dice.choice([11, 20, 21, 254, 255, 300, '"unreachable"'])
    if dice.random() < 0.5:
        rows = [[10 if a == b else cell() for b in pxms] for a in pxms]
        lines += ["[distance]", "matrix = [" + ", ".join("[" + ", ".join(map(str, row)) + "]" for row in rows) + "]"]
    elif len(pxms) > 1:
        lines.append("[distance]")
        for a in dice.sample(pxms, dice.randint(1, len(pxms))):
            others = dice.sample([b for b in pxms if b != a], dice.randint(1, len(pxms) - 1))
            lines.append(f'"{a}" = {{ ' + ", ".join(f'"{b}" = {cell()}' for b in others) + " }")
    for id_ in dice.sample(range(256), dice.randrange(3)):
        lines += ["[[ioapic]]", f"id = {id_}", f"address = {dice.choice([0xFEC00000, 0xFEC01000])}", f"gsi_base = {dice.choice([0, 24, 0xFFFFFFFF])}"]
    for source in dice.sample(range(256), dice.randrange(3)):
        lines += ["[[override]]", f"source = {source}", f"gsi = {dice.choice([2, 20, 0xFFFFFFFF])}"]
        lines += [f'polarity = "{dice.choice(["conforming", "high", "low"])}"', f'trigger = "{dice.choice(["conforming", "edge", "level"])}"']
    for uid in dice.choice([[], ['"all"'], [0], [0, len(cpus) - 1]]):
        lines += ["[[nmi]]", f"uid = {uid}", f"lint = {dice.randrange(2)}", f'trigger = "{dice.choice(["conforming", "edge", "level"])}"']
    return "\n".join(lines) + "\n"


def main() -> int:
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    acpi_gen = pathlib.Path(sys.argv[3]).resolve()
    command = sys.argv[4:]
    tables = refused = cpus = ranges = 0

    def judge(number: int) -> tuple[str, topology.Topology, int]:
        """Why the topology is refused, if it is; the topology; and how many tables are right."""
        text = document(random.Random(f"{seed}-{number}"))
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            path = out / "topology.toml"
            path.write_text(text)
            made = subprocess.run([acpi_gen, "emit", path, "--out", out / "tables", "--complete"], capture_output=True, text=True)
            of = topology.read(path)
            if made.returncode:
                return made.stderr.strip(), of, 0
            files = [file for file in sorted((out / "tables").glob("*.dat")) if file.name != "rsdp.dat"]
            for file in files:
                try:
                    goldens.check_table(f"{seed}-{number}", file.name, of, iasl.disassemble(command, file))
                except (AssertionError, iasl.Complaint) as error:
                    raise AssertionError(f"{error}\n{text}") from error
            return "", of, len(files)

    for number, result in qemu.side_by_side(judge, range(count)):
        try:
            refusal, of, right = result()
        except AssertionError as error:
            print(error)
            return 1
        if refusal:
            # Only what the format itself refuses.
            print(f"{seed}-{number} is refused: {refusal}")
            refused += 1
            continue
        tables, cpus, ranges = tables + right, cpus + len(of.cpus), ranges + len(of.memory)
    print(f"{count - refused} random topologies (seed {seed}) with {cpus} CPUs and {ranges} ranges: "
          f"iasl {iasl.version(command)} reads in {tables} tables what they say")  # fmt: skip
    # Most have to come through, else nothing was compared.
    return 0 if refused * 4 < count and tables >= 5 * (count - refused) else 1


if __name__ == "__main__":
    sys.exit(main())
