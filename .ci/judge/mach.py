"""GNU Mach with SMP, a kernel of another family, started by QEMU with our tables as the firmware's: SeaBIOS puts them
into memory by the loader script that QEMU would give it for its own. What the kernel says of its processors has to be
what the topology file says. It has no NUMA: it reads RSDP, XSDT and MADT, and starts the processors."""

import argparse
import gzip
import pathlib
import re
import struct
import subprocess
import sys

import qemu
from machine import FIXTURES, Machine, machines
from topology import Topology, read

TABLES, RSDP = b"etc/acpi/tables", b"etc/acpi/rsdp"
IOAPIC = "\n[[ioapic]]\nid = 0\naddress = 0xfec00000\ngsi_base = 0\n[[override]]\nsource = 0\ngsi = 2\n"
TYPES = {"conforming": "EDGE", "edge": "EDGE", "level": "LEVEL"}
# It ends by this panic: there is no system behind the kernel, and all that is of interest is said before.
END = "bootstrap_create: No bootstrap code loaded"


class Script:
    """Commands for the firmware, 128 bytes each, as QEMU's file etc/table-loader has them."""

    def __init__(self) -> None:
        self.bytes = b""

    def _add(self, number: int, body: bytes) -> None:
        self.bytes += struct.pack("<I124s", number, body)

    def allocate(self, file: bytes, align: int, below_1_mib: bool) -> None:
        self._add(1, struct.pack("<56sIB", file, align, 2 if below_1_mib else 1))

    def pointer(self, file: bytes, offset: int, size: int) -> None:
        """Adds the tables' address to a little-endian number."""
        self._add(2, struct.pack("<56s56sIB", file, TABLES, offset, size))

    def checksum(self, file: bytes, offset: int, start: int, size: int) -> None:
        self._add(3, struct.pack("<56sIII", file, offset, start, size))


def firmware(blob: bytes, out: pathlib.Path) -> list[str]:
    """QEMU's arguments by which the firmware finds this set, emitted for address 0, and not QEMU's own."""
    rsdp, tables, script = bytearray(blob[:36]), bytearray(blob), Script()
    script.allocate(TABLES, 4096, below_1_mib=False)
    script.allocate(RSDP, 16, below_1_mib=True)
    # Numbers are as ACPI 6.5 has them: RSDP 5.2.5.3, header 5.2.6, XSDT 5.2.8, FADT 5.2.9.
    script.pointer(RSDP, 24, 8)
    rsdp[8] = rsdp[32] = 0
    script.checksum(RSDP, 8, 0, 20)
    script.checksum(RSDP, 32, 0, 36)
    (xsdt,) = struct.unpack_from("<Q", rsdp, 24)

    def moved(table: int, pointers: list[tuple[int, int]]) -> None:
        for offset, size in pointers:
            if any(tables[table + offset : table + offset + size]):
                script.pointer(TABLES, table + offset, size)
        (length,) = struct.unpack_from("<I", tables, table + 4)
        tables[table + 9] = 0
        script.checksum(TABLES, table + 9, table, length)

    (length,) = struct.unpack_from("<I", tables, xsdt + 4)
    for entry in range(xsdt + 36, xsdt + length, 8):
        (table,) = struct.unpack_from("<Q", tables, entry)
        if tables[table : table + 4] == b"FACP":
            moved(table, [(36, 4), (40, 4), (132, 8), (140, 8)])
    moved(xsdt, [(at, 8) for at in range(36, length, 8)])
    arguments = ["-machine", "acpi=off"]
    for name, content in ((TABLES, tables), (RSDP, rsdp), (b"etc/table-loader", script.bytes)):
        file = out / name.decode().replace("/", "-")
        file.write_bytes(content)
        arguments += ["-fw_cfg", f"name={name.decode()},file={file}"]
    return arguments


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
        arguments = firmware((out / "tables" / "tables.bin").read_bytes(), out)
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
