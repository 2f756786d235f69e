"""Compares the objects of two builds of Xen: code, data and relocations must be the same. Only line
numbers may differ: a file that gained includes has later ones, in messages and in bug frames."""

import pathlib
import re
import subprocess
import sys

# Includes that the integration adds to a file, at most.
MOST_LINES = 3


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def loaded(path: pathlib.Path) -> dict[str, tuple[bytes, list[str]]]:
    """Section -> (bytes, relocations) of what is loaded into memory."""
    data = path.read_bytes()
    found = {}
    pattern = r"\s*\[\s*\d+\] (\S+)\s+(\S+)\s+[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) [0-9a-f]+\s+([A-Za-z]*)\s"
    for name, kind, offset, size, flags in re.findall(pattern, run("readelf", "-SW", str(path))):
        if "A" in flags and not name.startswith((".bug_frames", ".note")):
            start = int(offset, 16)
            content = b"" if kind == "NOBITS" else data[start : start + int(size, 16)]
            found[name] = (content, [])
    section = ""
    for line in run("objdump", "-rw", str(path)).splitlines():
        if match := re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line):
            section = match[1]
        elif section in found and re.match(r"[0-9a-f]{8}", line):
            found[section][1].append(line)
    return found


def same(a: bytes, b: bytes) -> bool:
    """The same, but for 32-bit numbers that are later by the few lines that includes take."""
    if len(a) != len(b):
        return False
    at = 0
    while at < len(a):
        if a[at] != b[at]:
            later = int.from_bytes(b[at : at + 4], "little") - int.from_bytes(a[at : at + 4], "little")
            if not 1 <= later <= MOST_LINES:
                return False
            at += 4
        else:
            at += 1
    return True


def main() -> int:
    stock, off = (pathlib.Path(folder) for folder in sys.argv[1:3])
    objects = (path for path in stock.rglob("*.o") if not path.name.startswith((".", "built_in", "prelink")))
    # The configuration itself is data of an object: it names the option.
    names = sorted(
        path.relative_to(stock)
        for path in objects
        if path.read_bytes()[:4] == b"\x7fELF" and path.name != "config_data.o"
    )
    if len(names) < 200:
        print(f"only {len(names)} objects in {stock}")
        return 1
    good = True
    for name in names:
        if not (off / name).exists():
            print(f"{name}: only in {stock}")
            good = False
        else:
            a, b = loaded(stock / name), loaded(off / name)
            nothing = (b"", [])
            for section in sorted(a | b):
                (code, links), (other, other_links) = a.get(section, nothing), b.get(section, nothing)
                if links != other_links or not same(code, other):
                    print(f"{name}: differs in {section}")
                    good = False
    print(f"{len(names)} objects of {stock.name} and {off.name}: {'the same code' if good else 'not the same code'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
