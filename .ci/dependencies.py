"""What the libraries may depend on, by cargo's own metadata; and the unsafe blocks of each package, which only some
may have, each with its argument."""

import json
import pathlib
import re
import subprocess
import sys

LIBRARIES = ["acpi-gen", "hv-glue", "pvh-loader"]
# Besides each other. What derives code is there while they are built, and not in them.
ALLOWED = {"zerocopy", "heapless", "crc-any", "vm-memory"}
# Packages with unsafe code, and why.
UNSAFE = {
    "acpi-gen": "a test against another crate, which maps memory",
    "panic-check": "a program without an operating system",
    "pvh-boot": "a machine without an operating system",
    "hv-glue-capi": "pointers of a C caller",
    "fuzz": "calls of the C interface",
    "pvh-stage": "a bare kernel that enters another",
    "pvh-uefi": "the UEFI application",
    "xen-hypercall": "hypercalls of a toolstack",
    "dom0-probe": "hypercalls of dom0",
    "polled-serial": "registers of a serial port",
}


def main() -> int:
    text = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], check=True, capture_output=True).stdout
    metadata = json.loads(text)
    packages = {package["id"]: package for package in metadata["packages"]}
    members = [packages[id_] for id_ in metadata["workspace_members"]]
    bad, with_unsafe, total = [], set(), 0

    for package in members:
        if package["name"] in LIBRARIES:
            normal = {d["name"] for d in package["dependencies"] if d["kind"] is None and d["source"]}
            extra = normal - ALLOWED
            bad += [f"{package['name']} depends on {name}" for name in sorted(extra)]
            print(f"{package['name']:16} depends on {', '.join(sorted(normal)) or 'no other project'}")

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
            with_unsafe.add(package["name"])
            total += blocks
            if blocks != arguments:
                bad.append(f"{package['name']} has {blocks} unsafe blocks and {arguments} arguments")
    print(f"{total} unsafe blocks in all")
    bad += [f"{name} has unsafe code" for name in sorted(with_unsafe - set(UNSAFE))]
    bad += [f"{name} has no unsafe code any more" for name in sorted(set(UNSAFE) - with_unsafe)]
    for line in bad:
        print(f"    {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
