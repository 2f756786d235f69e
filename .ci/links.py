"""Verifies the links of the committed Markdown files: each names a committed file or folder, and its heading if it has
a fragment; and each file of docs/ is linked.

Usage: links.py FILE.md...
"""

import os
import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.M)
# What a fence or backticks enclose is not Markdown.
CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]*`", re.M | re.S)


def anchors(text: str) -> set[str]:
    """The fragments of a file's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def main() -> int:
    committed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout.split("\0")
    paths = {pathlib.PurePosixPath(path) for path in committed if path}
    paths |= {folder for path in paths for folder in path.parents}
    texts = {pathlib.PurePosixPath(name): pathlib.Path(name).read_text() for name in sys.argv[1:]}
    bad, linked, count = [], set(), 0
    for file, text in texts.items():
        for target in LINK.findall(CODE.sub("", text)):
            if re.match(r"[a-z]+:", target):
                continue
            count += 1
            name, _, fragment = target.partition("#")
            path = pathlib.PurePosixPath(os.path.normpath(file.parent / name)) if name else file
            if path not in paths:
                bad.append(f"{file}: broken link: {target}; expected a committed file or folder")
            elif fragment and fragment not in anchors(texts.get(path, "")):
                bad.append(f"{file}: broken link: {target}; expected a heading of {path}")
            if path != file:
                linked.add(path)
    bad += [f"{file}: no Markdown file links to it; expected a link in docs/README.md"
            for file in texts if file.parts[0] == "docs" and file not in linked]  # fmt: skip
    print("\n".join([*bad, f"{count} links of {len(texts)} Markdown files, {len(bad)} errors"]))
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main())
