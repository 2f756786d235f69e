#!/usr/bin/env python3
"""Names the public items of the three libraries that nothing uses that ships.

A function or constant is used where its name is in the source of a shipping program or of another library: after the
name of its type or module, or after a dot for a method. A type is used where its name is there, or in the library's
own public signatures, fields or variants. As methods are found by name alone, this finds too little rather than too
much. Items that are public for a reason that has yet to ship are listed with their issue in public-items.txt.

Usage: public-items.py [--also ITEM]: ITEM is one that the first library is to have too, to see the check fail
"""

import pathlib
import re
import sys

LIBRARIES = ["acpi-gen", "hv-glue", "pvh-loader"]
SHIPPING = [
    "acpi-gen/cli/src", "hv-glue/capi/src", "hv-glue/topology/src", "hv-glue/xen", "pvh-loader/boot/src",
    "pvh-loader/uefi/src", "pvh-loader/stage/src", "examples/domu-toolstack/src", "examples/dom0-probe/src",
]
EXCEPTIONS = pathlib.Path(__file__).with_suffix(".txt")
ITEM = re.compile(r"(?:pub|\$vis) (?:const |unsafe )*(fn|const|struct|enum|trait|type) (\w+)")
IMPL = re.compile(r"(?:unsafe )?impl(?:<[^>]*>)? (?:[\w:<>', ]+ for )?(\$?[\w:]+)")
FIELD = re.compile(r"^\s*pub \w+: .*$|^\s*(?:pub|\$vis) (?:const )?fn [^{;]*[{;]|^    \w+\([^)]*\),$|^        \w+: [\w<>&' ]+,$|^    type \w+ = .*;$", re.M)


def code(path: pathlib.Path) -> str:
    """A file without its comments and its tests."""
    text = re.sub(r"#\[cfg\(test\)\]\nmod tests \{.*?^\}", "", path.read_text(), flags=re.M | re.S)
    return re.sub(r"//.*", "", text)


def sources(folder: str) -> dict[pathlib.Path, str]:
    return {path: code(path) for path in sorted(pathlib.Path(folder).rglob("*.rs"))}


def items(path: pathlib.Path, text: str):
    """(owner, kind, name, is_method): the owner is a type, or the module that the file is."""
    module = owner = path.parent.name if path.stem == "mod" else path.stem
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if line.strip().startswith(("impl", "unsafe impl")) and (match := IMPL.match(line.strip())):
            owner = match.group(1).split("::")[-1]
        elif line.startswith("}"):
            owner = module
        elif match := ITEM.match(line.strip()):
            signature = " ".join(lines[at:at + 3]).split("->")[0]
            yield owner, match.group(1), match.group(2), bool(re.search(r"\(\s*(?:&(?:'\w+ )?)?(?:mut )?self\b", signature))


def is_used(owner: str, kind: str, name: str, is_method: bool, outside: str, own: str) -> bool:
    # The type that a macro is given.
    owner = r"\w+" if owner.startswith("$") else owner
    if kind in ("struct", "enum", "trait", "type"):
        signatures = "\n".join(FIELD.findall(own))
        return bool(re.search(rf"\b{name}\b", outside) or re.search(rf"\b{name}\b", signatures))
    if is_method and re.search(rf"\.{name}\b", outside):
        return True
    # What a module or lib.rs re-exports is named without its own module.
    exported = owner[0].islower() and re.search(rf"pub use [\w:]+::(?:\{{[^}}]*\b)?{name}\b", own)
    named = rf"\b{name}\b" if exported else rf"\b{owner}(?:::<[^>]*>)?::(?:\{{[^}}]*\b)?{name}\b"
    return bool(re.search(named, outside))


def main() -> int:
    also = sys.argv[2:] if sys.argv[1:2] == ["--also"] else []
    exceptions = {}
    for line in EXCEPTIONS.read_text().splitlines():
        if line and not line.startswith("#"):
            library, item, issue = line.split()
            exceptions[library, item] = issue
    shipping = {library: sources(f"{library}/src") for library in LIBRARIES}
    programs = "\n".join(text for folder in SHIPPING for text in sources(folder).values())
    unused, total = [], 0
    for library in LIBRARIES:
        others = [text for other in LIBRARIES if other != library for text in shipping[other].values()]
        outside = "\n".join([programs, *others])
        own = "\n".join(shipping[library].values())
        found = {item for path, text in shipping[library].items() for item in items(path, text)}
        if also and library == LIBRARIES[0]:
            found |= {("check", "fn", name, False) for name in also}
        total += len(found)
        unused += [(library, f"{owner}::{name}") for owner, kind, name, is_method in sorted(found)
                   if not is_used(owner, kind, name, is_method, outside, own)]
    bad = [f"{library}: nothing that ships uses {item}" for library, item in unused if (library, item) not in exceptions]
    bad += [f"{library}: {item} needs no exception" for library, item in exceptions if (library, item) not in unused]
    for line in bad:
        print(f"    {line}")
    print(f"{total} public items, {len(exceptions)} exceptions, {len(bad)} findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
