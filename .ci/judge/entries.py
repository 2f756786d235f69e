#!/usr/bin/env python3
"""Names the public functions of a library that a program does not call.

A function is looked for by its path in the program's text: Type::function for those of an impl
block, module::function for those of a module, function for those of lib.rs' own re-exports.

Usage: entries.py LIBRARY_FOLDER PROGRAM.rs
"""

import pathlib
import re
import sys

FUNCTION = re.compile(r"pub (?:const )?fn (\w+)")
IMPL = re.compile(r"impl(?:<[^>]*>)? (?:\w+ for )?(\w+)")


def public_functions(source: pathlib.Path):
    """(owner, name): the owner is a type, or the module that the file is."""
    module = source.parent.name if source.stem == "mod" else source.stem
    owner = module
    for line in source.read_text().splitlines():
        if line.startswith("impl"):
            owner = IMPL.match(line).group(1)
        elif line.startswith("}"):
            owner = module
        elif match := FUNCTION.match(line.strip()):
            yield owner, match.group(1)


def main():
    library, program = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
    root = (library / "src/lib.rs").read_text()
    functions = {found for source in (library / "src").rglob("*.rs") if "tests" not in str(source) for found in public_functions(source)}
    missing = []
    for owner, name in sorted(functions):
        re_exported = re.search(rf"^pub use \w+::(\{{[^}}]*)?\b{name}\b", root, re.MULTILINE)
        if not re.search(rf"\b{name}\(" if re_exported else rf"\b{owner}::{name}\b", program):
            missing.append(f"{owner}::{name}")
    if not functions or missing:
        sys.exit(f"{sys.argv[2]} does not call: {', '.join(missing) or 'anything'}")
    print(f"{len(functions)} public functions of {library} are called")


if __name__ == "__main__":
    main()
