"""GNU Mach with SMP, a kernel of another family, started by QEMU with our tables as the firmware's. What the kernel
says of its processors has to be what the topology file says. It has no NUMA: it reads RSDP, XSDT and MADT, and starts
the processors."""

import argparse
import gzip
import pathlib
import re
import struct
import subprocess
import sys

import firmware
import qemu
from machine import FIXTURES, Machine, machines
from topology import Topology, read

IOAPIC = "\n[[ioapic]]\nid = 0\naddress = 0xfec00000\ngsi_base = 0\n[[override]]\nsource = 0\ngsi = 2\n"
TYPES = {"conforming": "EDGE", "edge": "EDGE", "level": "LEVEL"}
# It ends by this panic: there is no system behind the kernel, and all that is of interest is said before.
END = "bootstrap_create: No bootstrap code loaded"


def elf32(image: bytes) -> bytes:
    """The same segments at the same physical addresses under a 32-bit header, the only one that QEMU's multiboot
    loader takes. The kernel's entry is 32-bit code in any case."""
    entry, headers = struct.unpack_from("<QQ", image, 24)
    size, count = struct.unpack_from("<HH", image, 54)
    file, heads, at = b"", b"", 52 + 32 * count
    for number in range(count):
        kind, flags, offset, virtual, physical, stored, taken, align = struct.unpack_from("<IIQQQQQQ", image, headers + size * number)
        low = virtual & 0xFFFFFFFF
        heads += struct.pack("<8I", kind, at + len(file), low, physical, stored, taken, flags, align)
        file += image[offset : offset + stored]
    ident = image[:4] + b"\1" + image[5:16]
    return struct.pack("<16sHHIIIIIHHHHHH", ident, 2, 3, 1, entry, 52, 0, 0, 52, 32, count, 0, 0, 0) + heads + file


def all_run(console: str) -> bool:
    """Whether the first processor said, after it waited for the others, that each of them runs. The others write to
    the same port at that time, so that their letters may stand between its own."""
    waited = console.rpartition("Waiting for AP")[2] if "Waiting for AP" in console else ""
    return re.search(".*?".join(map(re.escape, "Completed SMP init")), waited.partition(END)[0], re.S) is not None


def said(console: str) -> dict[str, object]:
    """What the kernel found."""
    processors = console.partition("CPUS:")[2].partition("IOAPICS:")
    return {
        "processors": [(int(cpu), int(id_, 16)) for cpu, id_ in re.findall(r"CPU (\d+) - APIC ID ([0-9a-f]+)", processors[0])],
        "I/O APICs": [int(id_, 16) for id_ in re.findall(r"IOAPIC \d+ - APIC ID ([0-9a-f]+)", processors[2])],
        "overrides": re.findall(r"IRQ override: pin=(\d+) gsi=(\d+) trigger=(\w+)", console),
        "several processors run": all_run(console),
        "x2APIC entries, which it ignores": len(re.findall(r"x2APIC entry \(type 9\) unsupported, ignored", console)),
    }


def right(of: Topology) -> dict[str, object]:
    """What the description says that it has to find."""
    ids = [cpu.apic_id for cpu in of.cpus if of.hybrid]
    return {
        # Without an entry that it reads it goes on with the processor that it runs on.
        "processors": list(enumerate(ids)) or [(0, 0)],
        "I/O APICs": [ioapic["id"] for ioapic in of.ioapics],
        "overrides": [(str(it["source"]), str(it["gsi"]), TYPES[it.get("trigger", "conforming")]) for it in of.overrides],
        "several processors run": len(ids) > 1,
        "x2APIC entries, which it ignores": len(of.cpus) - len(ids),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--kernel", type=pathlib.Path, required=True, help="gnumach-*.gz")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("machine", nargs="+", help="names of fixtures/qemu")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kernel = options.out / "gnumach"
    kernel.write_bytes(elf32(gzip.decompress(options.kernel.read_bytes())))
    good = True
    chosen = machines(FIXTURES, options.machine)

    def boot(case: tuple[Machine, str]) -> tuple[dict[str, object], dict[str, object]]:
        """What the kernel says, and what is right."""
        machine, entries = case
        out = options.out / f"{machine.name}-{entries}"
        out.mkdir(exist_ok=True)
        text = re.sub(r"^entries = .*\n", "", machine.topology.read_text(), flags=re.M)
        topology = out / "topology.toml"
        topology.write_text(text.replace("[apic]\n", f'[apic]\nentries = "{entries}"\n') + IOAPIC)
        command = [options.acpi_gen, "emit", topology, "--complete", "--base", "0", "--out", out / "tables"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        arguments = firmware.arguments((out / "tables" / "tables.bin").read_bytes(), out)
        command = [*machine.command, *arguments, "-kernel", str(kernel), "-append", "console=com0"]
        return said(qemu.talk(command, out, [(END, b"")])), right(read(topology))

    cases = [(machine, "hybrid") for machine in chosen] + [(chosen[-1], "x2apic")]
    for (machine, entries), result in qemu.side_by_side(boot, cases):
        found, expected = result()
        findings = [f"{what}: {found[what]} where {value} is right" for what, value in expected.items() if found[what] != value]
        print(f"{machine.name:12} {entries:7} {found['processors']}: {'FAILED' if findings else 'ok'}", *findings, sep="\n    ", flush=True)
        good &= not findings
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
