"""Compares the objects of two builds of Xen: code, data and relocations must be the same, byte for byte. Where the
first tree's source has other line numbers than the second's, as includes were added there, the first is compiled once
more with those of the second."""

import difflib
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def loaded(path: pathlib.Path) -> dict[str, tuple[bytes, list[str]]]:
    """Section -> (bytes, relocations) of what is loaded into memory."""
    data = path.read_bytes()
    found = {}
    pattern = r"\s*\[\s*\d+\] (\S+)\s+(\S+)\s+[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) [0-9a-f]+\s+([A-Za-z]*)\s"
    for name, kind, offset, size, flags in re.findall(pattern, run("readelf", "-SW", str(path))):
        if "A" in flags:
            start = int(offset, 16)
            content = size.encode() if kind == "NOBITS" else data[start : start + int(size, 16)]
            found[name] = (content, [])
    section = ""
    for line in run("objdump", "-rw", str(path)).splitlines():
        if match := re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line):
            section = match[1]
        elif section in found and re.match(r"[0-9a-f]{8}", line):
            found[section][1].append(line)
    return found


def with_lines_of(other: str, source: str, name: str) -> str:
    """The source, each line of it with the number that it has in another version of the file."""
    mine, others = source.splitlines(keepends=True), other.splitlines(keepends=True)
    text, later = [f'#line 1 "{name}"\n'], 0
    for _, start, end, others_start, _ in difflib.SequenceMatcher(None, mine, others, autojunk=False).get_opcodes():
        if start < end and others_start - start != later:
            later = others_start - start
            text.append(f'#line {others_start + 1} "{name}"\n')
        text += mine[start:end]
    return "".join(text)


def compiled_again(stock: pathlib.Path, off: pathlib.Path, name: pathlib.Path) -> dict[str, tuple[bytes, list[str]]]:
    """What is loaded of stock's object, had its source the line numbers that the other tree's has: those stand in
    messages and in bug frames, and includes that were added move them. Compiled as the tree did, elsewhere."""
    recorded = (stock / name).with_name(f".{name.name}.cmd").read_text().splitlines()[0].partition(" := ")[2]
    command = shlex.split(recorded)
    if "-c" not in command:
        return loaded(stock / name)
    source = command[command.index("-c") + 1]
    with tempfile.TemporaryDirectory() as folder:
        again = pathlib.Path(folder) / pathlib.Path(source).name
        again.write_text(with_lines_of((off / source).read_text(), (stock / source).read_text(), source))
        given = {"-c": str(again), "-o": f"{folder}/object", "-MF": f"{folder}/depends"}
        for option, value in given.items():
            command[command.index(option) + 1] = value
        directory = pathlib.Path(source).parent
        subprocess.run([*command, "-iquote", str(directory)], cwd=stock, check=True)
        return loaded(pathlib.Path(given["-o"]))


def objects(tree: pathlib.Path) -> set[pathlib.Path]:
    """Those of single sources. The configuration itself is data of an object: it names the option."""
    found = (path for path in tree.rglob("*.o") if not path.name.startswith((".", "built_in", "prelink")))
    return {
        path.relative_to(tree)
        for path in found
        if path.name != "config_data.o" and path.read_bytes()[:4] == b"\x7fELF"
    }


def mistaken(path: pathlib.Path) -> Iterator[str]:
    """What a comparison with this object would not see: another byte of its code, or a relocation less."""
    good = loaded(path)
    code, links = good[max((name for name in good if name.startswith(".text")), key=lambda name: len(good[name][0]))]
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder) / "object"
        data = bytearray(path.read_bytes())
        at = data.index(code)
        data[at] ^= 1
        wrong.write_bytes(data)
        if loaded(wrong) == good:
            yield f"another byte of code in {path} is not seen"
        subprocess.run(["objcopy", "--remove-relocations=.text*", path, wrong], check=True)
        if not links or loaded(wrong) == good:
            yield f"relocations that are missing in {path} are not seen"


def main() -> int:
    stock, off = (pathlib.Path(folder) for folder in sys.argv[1:3])
    names = sorted(objects(stock) | objects(off))
    if len(names) < 200:
        print(f"only {len(names)} objects in {stock}")
        return 1
    blind = list(mistaken(stock / "common/domain.o"))
    for what in blind:
        print(what)
    good, again = not blind, 0
    for name in names:
        if not (stock / name).exists() or not (off / name).exists():
            print(f"{name}: only in {stock if (stock / name).exists() else off}")
            good = False
            continue
        a, b = loaded(stock / name), loaded(off / name)
        if a != b:
            a = compiled_again(stock, off, name)
            again += 1
        for section in sorted(section for section in a | b if a.get(section) != b.get(section)):
            print(f"{name}: differs in {section}")
            good = False
    judged = "the same code" if good else "not the same code"
    print(f"{len(names)} objects of each tree: {judged}; {again} of them compiled again with the other's line numbers")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
