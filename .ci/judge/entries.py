#!/usr/bin/env python3
"""Names the public functions of a library that a program does not call.

A function is looked for by its path in the program's text: Type::function for those of an impl
block, module::function for those of a module or of one whose mod.rs re-exports it, function for those
of lib.rs' own re-exports.

Usage: entries.py LIBRARY_FOLDER PROGRAM.rs
"""

import pathlib
import re
import sys

FUNCTION = re.compile(r"(?:pub|\$vis) (?:const )?fn (\w+)")
IMPL = re.compile(r"impl(?:<[^>]*>)? (?:\w+ for )?(\$?\w+)")


def public_functions(source: pathlib.Path):
    """(owner, name): the owner is a type, or the module that the file is."""
    module = source.parent.name if source.stem == "mod" else source.stem
    parent = source.parent / "mod.rs"
    parent = parent.read_text() if parent.exists() else ""
    owner = module
    for line in source.read_text().splitlines():
        if match := IMPL.match(line.strip()):
            owner = match.group(1)
        elif line.startswith("}"):
            owner = module
        elif match := FUNCTION.match(line.strip()):
            name = match.group(1)
            re_exported = owner == module and exports(parent, name)
            # The macro `rules!` declares one type in each library, called Error.
            owners = [owner.lstrip("$")] if owner in ("$Error", owner.lstrip("$")) else generated_types(source.parent)
            for type_ in owners:
                yield source.parent.name if re_exported else type_, name


def generated_types(folder: pathlib.Path):
    """The public types that the macro `entries!` makes, each from a module's declaration."""
    return [name for source in folder.rglob("*.rs") for name in re.findall(r"^    pub (\w+) of SIGNATURE;$", source.read_text(), re.M)]


def exports(module: str, name: str):
    """Whether a module's text re-exports a name from one of its own modules."""
    return re.search(rf"^pub use \w+::(\{{[^}}]*)?\b{name}\b", module, re.MULTILINE)


def main():
    library, program = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
    root = (library / "src/lib.rs").read_text()
    sources = [source for source in (library / "src").rglob("*.rs") if "tests" not in str(source)]
    # What needs an allocator is not part of a program without one.
    sources = [source for source in sources if "use alloc::" not in source.read_text()]
    functions = {found for source in sources for found in public_functions(source)}
    missing = []
    for owner, name in sorted(functions):
        if not re.search(rf"\b{name}\(" if exports(root, name) else rf"\b{owner}::{name}\b", program):
            missing.append(f"{owner}::{name}")
    if not functions or missing:
        sys.exit(f"{sys.argv[2]} does not call: {', '.join(missing) or 'anything'}")
    print(f"{len(functions)} public functions of {library} are called")


if __name__ == "__main__":
    main()
