"""Dependencies by cargo's own metadata: what the libraries may use, licences that MIT and Apache-2.0 take,
versions that are there twice; and the unsafe blocks of each package, which only some may have."""

import json
import pathlib
import re
import subprocess
import sys

LIBRARIES = ["acpi-gen", "hv-glue", "pvh-loader"]
# Besides each other. What derives code is there while they are built, and not in them.
ALLOWED = {"zerocopy", "heapless", "crc-any", "vm-memory"}
LICENCES = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "Zlib", "Unlicense", "Unicode-3.0", "NCSA", "CC0-1.0",
            "Apache-2.0 WITH LLVM-exception", "MIT-0", "BSL-1.0", "MPL-2.0"}  # fmt: skip
# Packages with unsafe code, and why.
UNSAFE = {
    "acpi-gen": "a test against another crate, which maps memory",
    "no-panic": "a program without an operating system",
    "pvh-metal": "a machine without an operating system",
    "hv-glue-capi": "pointers that a C caller lends",
    "fuzz": "calls of the C interface",
    "pvh-jump": "the jump into a kernel",
    "pvh-stage": "a bare kernel that enters another",
    "pvh-uefi": "the UEFI application",
    "xen-hypercall": "hypercalls of a toolstack",
    "xen-toolstack": "hypercalls of a toolstack",
    "dom0-probe": "hypercalls of dom0",
}


def acceptable(expression: str) -> bool:
    """An SPDX expression of which one choice has only licences that are taken."""
    text = expression.replace("(", " ( ").replace(")", " ) ").replace("/", " OR ")
    text = re.sub(r"\bWITH\s+(\S+)", r"", text)
    words = [("or" if w == "OR" else "and" if w == "AND" else w if w in "()" else str(w in LICENCES)) for w in text.split()]
    return bool(eval(" ".join(words), {"__builtins__": {}}))  # only True, False, and, or and brackets


def main() -> int:
    text = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], check=True, capture_output=True).stdout
    metadata = json.loads(text)
    packages = {package["id"]: package for package in metadata["packages"]}
    members = [packages[id_] for id_ in metadata["workspace_members"]]
    bad = []

    for package in members:
        if package["name"] in LIBRARIES:
            normal = {d["name"] for d in package["dependencies"] if d["kind"] is None and d["source"]}
            extra = normal - ALLOWED
            bad += [f"{package['name']} depends on {name}" for name in sorted(extra)]
            print(f"{package['name']:16} depends on {', '.join(sorted(normal)) or 'no other project'}")

    foreign = [package for package in packages.values() if package["source"]]
    refused = [p for p in foreign if not acceptable(p["license"] or "none")]
    bad += [f"licence of {p['name']} {p['version']}: {p['license']}" for p in refused]
    versions: dict[str, list[str]] = {}
    for package in foreign:
        versions.setdefault(package["name"], []).append(package["version"])
    twice = {name: found for name, found in versions.items() if len(found) > 1}
    print(f"{len(foreign)} crates, {len({p['license'] for p in foreign})} licences; in two versions: "
          + (", ".join(f"{name} {'/'.join(sorted(found))}" for name, found in sorted(twice.items())) or "none"))  # fmt: skip

    for package in members:
        folder = pathlib.Path(package["manifest_path"]).parent
        inner = [pathlib.Path(m["manifest_path"]).parent for m in members if m is not package]
        blocks = arguments = 0
        for path in folder.rglob("*.rs"):
            if "target" in path.parts or any(other in path.parents and folder in other.parents for other in inner):
                continue
            source = path.read_text()
            code = re.sub(r"^\s*//.*$", "", source, flags=re.M)
            blocks += len(re.findall(r"\bunsafe\s*(?:\{|impl\b)", code))
            arguments += len(re.findall(r"// SAFETY:", source))
        if blocks:
            print(f"{package['name']:16} {blocks:4} unsafe blocks, {arguments} arguments: {UNSAFE.get(package['name'], 'WHY?')}")
            if package["name"] not in UNSAFE:
                bad.append(f"{package['name']} has unsafe code")
    for line in bad:
        print(f"    {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
