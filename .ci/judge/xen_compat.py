"""Boots Xen with a 32-bit dom0 kernel that asks get_mfn_pxms in the compat layout, and compares the answers
with the host, as those to a 64-bit dom0 are."""

import argparse
import pathlib
import re
import sys

import qemu
import xen
from xen_compare import INVALID, frames_to_ask, pxms_of
from xen_machine import MACHINES

HOST = MACHINES["pxm-5-0-2"]


def judge(console: str, frames: list[int]) -> list[str]:
    found = dict(re.findall(r"^probe ([a-z-]+) (.*?) *$", console.replace("\r", ""), re.M))
    right = {
        "answer": "ok 0", "pxms": " ".join(pxms_of(HOST.blocks(), frames)), "untouched": "1",
        "pxms-most": "ok 0", "pxms-too-many": "errno 7", "pxms-flags": "errno 22",
    }  # fmt: skip
    return [f"{key}: {found.get(key)} where {value} is right" for key, value in right.items() if found.get(key) != value]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--xen", type=pathlib.Path, required=True, help="Xen with our option on")
    parser.add_argument("--kernel", type=pathlib.Path, required=True, help="the 32-bit kernel")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    HOST.make_tables(options.acpi_gen, options.out)
    frames = [frame for frame in frames_to_ask(HOST) if frame < 1 << 32]
    line = "mfns=" + ":".join(f"{frame:x}" for frame in frames)
    command = ["qemu-system-x86_64", *HOST.qemu(options.out), "-kernel", str(options.xen),
               "-append", f"{xen.XEN_LINE} dom0=pvh,verbose dom0_mem=1G dom0_vcpus_pin=1",
               "-initrd", f"{options.kernel} {line}"]  # fmt: skip
    _, console = xen.retried(lambda: (None, qemu.start(command, options.out)), options.out)
    findings = judge(console, frames)
    for at in range(len(frames)):
        # Frame 0xA0 is in no block, and 0 is in the first.
        wrong = 0 if pxms_of(HOST.blocks(), [frames[at]]) == [INVALID] else 0xA0
        if not judge(console, [*frames[:at], wrong, *frames[at + 1 :]]):
            findings.append(f"another frame than {frames[at]:#x} passes, too")
    print(f"a 32-bit dom0 asks for {len(frames)} frames: {'FAILED' if findings else 'ok'}")
    for finding in findings:
        print(f"    {finding}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
