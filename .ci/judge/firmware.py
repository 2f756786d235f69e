"""Generated ACPI tables as a machine's firmware tables: SeaBIOS puts them into memory by the loader script that QEMU would
give it for its own."""

import pathlib
import struct

TABLES, RSDP = b"etc/acpi/tables", b"etc/acpi/rsdp"


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


def arguments(blob: bytes, out: pathlib.Path) -> list[str]:
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
    found = ["-machine", "acpi=off"]
    for name, content in ((TABLES, tables), (RSDP, rsdp), (b"etc/table-loader", script.bytes)):
        file = out / name.decode().replace("/", "-")
        file.write_bytes(content)
        found += ["-fw_cfg", f"name={name.decode()},file={file}"]
    return found
