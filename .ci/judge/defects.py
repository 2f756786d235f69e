"""Sets of tables with one defect each, and what Linux loses by it."""

import dataclasses
import struct
from collections.abc import Callable

# Where the tables lie, in RAM that the kernel is told to leave alone.
BASE = 0x1F000000
ROOM = 0x100000
ENTRY_9 = 16  # bytes of a MADT entry of type 9
CPUS = 48  # offset of the SRAT's entries: four CPUs of type 2, then two ranges of memory
MEMORY = [CPUS + 4 * 24, CPUS + 4 * 24 + 40]
# Registers of an I/O APIC in that RAM: whatever register is asked for, the data word is what its version register
# has: 24 inputs, version 0x20. Linux reads no more of it while it registers the I/O APIC.
IO_APIC = BASE + 0x800
IO_APIC_VERSION = 0x00170020

Tables = dict[str, bytearray]


def put(table: bytearray, at: int, form: str, value: int) -> None:
    struct.pack_into("<" + form, table, at, value)


def append(table: bytearray, entry: bytes) -> None:
    table += entry
    put(table, 4, "I", len(table))


def resum(table: bytearray) -> None:
    table[9] = 0
    table[9] = -sum(table) & 0xFF


@dataclasses.dataclass(frozen=True)
class Defect:
    """A defect of a machine's good tables, and what the kernel then loses."""

    machine: str
    lost: set[str]
    damage: Callable[[Tables], None]
    # Words of a note instead of an error, where it is not in the tables whether the kernel loses something.
    noted: str | None


DEFECTS: dict[str, Defect] = {}


def defect(name: str, *lost: str, machine: str = "two-nodes", noted: str | None = None):
    def enter(function: Callable[[Tables], None]):
        DEFECTS[name] = Defect(machine, set(lost), function, noted)

    return enter


@defect("nothing wrong")
def _(tables: Tables) -> None:
    pass


@defect("nothing wrong, a gap in the numbering", machine="gap")
def _(tables: Tables) -> None:
    pass


@defect("10 off the SLIT's diagonal", "SLIT")
def _(tables: Tables) -> None:
    tables["SLIT"][44 + 1] = 10


@defect("20 on the SLIT's diagonal", "SLIT")
def _(tables: Tables) -> None:
    tables["SLIT"][44 + 3] = 20


@defect("zeros in the SLIT's gap rows", "SLIT", machine="gap")
def _(tables: Tables) -> None:
    for at in (1, 3, 4, 5, 7):
        tables["SLIT"][44 + at] = 0


@defect("a SLIT that ends before the highest domain")
def _(tables: Tables) -> None:
    del tables["SLIT"][45:]
    put(tables["SLIT"], 4, "I", 45)
    put(tables["SLIT"], 36, "Q", 1)


def _memory(tables: Tables, like: int, base: int, size: int, flags: int) -> None:
    """Another memory entry of the domain of the one at `like`."""
    entry = bytearray(tables["SRAT"][like : like + 40])
    put(entry, 8, "Q", base)
    put(entry, 16, "Q", size)
    put(entry, 28, "I", flags)
    append(tables["SRAT"], bytes(entry))


@defect("memory of two nodes overlaps in RAM", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[1] + 8, "Q", 0x10000000 - 4096)
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0x10000000 + 4096)


@defect("memory of one node overlaps")
def _(tables: Tables) -> None:
    append(tables["SRAT"], bytes(tables["SRAT"][MEMORY[1] : MEMORY[1] + 40]))


@defect("hot-plug windows of two nodes overlap")
def _(tables: Tables) -> None:
    for at, base in zip(MEMORY, (0x100000000, 0x140000000)):
        _memory(tables, at, base, 0x80000000, 3)


@defect("memory of two nodes overlaps above all RAM")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0x30000000)
    _memory(tables, MEMORY[0], 0x30000000, 0x10000000, 1)


@defect("memory of two nodes overlaps in a hole below RAM", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[0] + 16, "Q", 0xC0000)
    put(tables["SRAT"], MEMORY[1] + 8, "Q", 0xB0000)
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0x20000000 - 0xB0000)


@defect("half a MiB of RAM in no node", "boot")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[0] + 16, "Q", 0x10000000 - 0x80000)


@defect("two MiB of RAM in no node", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[0] + 16, "Q", 0x10000000 - 0x200000)


def _domain(tables: Tables, domain: int) -> None:
    put(tables["SRAT"], MEMORY[1] + 2, "I", domain)
    for cpu in (2, 3):
        put(tables["SRAT"], CPUS + 24 * cpu + 4, "I", domain)


@defect("PXM 1023")
def _(tables: Tables) -> None:
    _domain(tables, 1023)


@defect("PXM 1024", "SRAT")
def _(tables: Tables) -> None:
    _domain(tables, 1024)


@defect("revision 1 with PXM 256", "PXM")
def _(tables: Tables) -> None:
    _domain(tables, 256)
    tables["SRAT"][8] = 1


@defect("the boot CPU is not first")
def _(tables: Tables) -> None:
    madt = tables["APIC"]
    madt[44 : 44 + ENTRY_9], madt[44 + ENTRY_9 : 44 + 2 * ENTRY_9] = madt[44 + ENTRY_9 : 44 + 2 * ENTRY_9], madt[44 : 44 + ENTRY_9]


@defect("an APIC id twice", "APIC")
def _(tables: Tables) -> None:
    put(tables["APIC"], 44 + 3 * ENTRY_9 + 4, "I", 2)


@defect("an APIC id of 32768", "APIC")
def _(tables: Tables) -> None:
    put(tables["APIC"], 44 + 3 * ENTRY_9 + 4, "I", 32768)


@defect("type 9 entries below 255 beside type 0", "APIC")
def _(tables: Tables) -> None:
    madt = tables["APIC"]
    type_0 = b"".join(bytes([0, 8, cpu, cpu, 1, 0, 0, 0]) for cpu in (0, 1))
    madt[44 : 44 + 2 * ENTRY_9] = type_0
    put(madt, 4, "I", len(madt))


@defect("type 9 entries that repeat type 0")
def _(tables: Tables) -> None:
    madt = tables["APIC"]
    madt[44:44] = b"".join(bytes([0, 8, cpu, cpu, 1, 0, 0, 0]) for cpu in range(4))
    put(madt, 4, "I", len(madt))


@defect("wrong checksum of the SLIT")
def _(tables: Tables) -> None:
    tables["SLIT"][9] ^= 0x40


@defect("wrong checksum of the SRAT")
def _(tables: Tables) -> None:
    tables["SRAT"][9] ^= 0x40


@defect("a memory entry one byte short", "SRAT")
def _(tables: Tables) -> None:
    tables["SRAT"][MEMORY[1] + 1] = 39


@defect("an entry of length 0", "SRAT")
def _(tables: Tables) -> None:
    tables["SRAT"][MEMORY[1] + 1] = 0


@defect("a memory entry of length 0", "SRAT")
def _(tables: Tables) -> None:
    put(tables["SRAT"], MEMORY[1] + 16, "Q", 0)


@defect("a memory entry that passes 2^64")
def _(tables: Tables) -> None:
    entry = bytearray(tables["SRAT"][MEMORY[1] : MEMORY[1] + 40])
    put(entry, 8, "Q", 1 << 32)
    put(entry, 16, "Q", (1 << 64) - 1)
    append(tables["SRAT"], bytes(entry))


@defect("no memory entry is enabled", "SRAT")
def _(tables: Tables) -> None:
    for at in MEMORY:
        put(tables["SRAT"], at + 28, "I", 0)


@defect("a CPU without an affinity entry", noted="have no affinity entry")
def _(tables: Tables) -> None:
    put(tables["SRAT"], CPUS + 3 * 24 + 12, "I", 0)


def _io_apic(tables: Tables, address: int, gsi_base: int) -> None:
    append(tables["APIC"], struct.pack("<BBBBII", 1, 12, 1, 0, address, gsi_base))


@defect("nothing wrong, two I/O APICs")
def _(tables: Tables) -> None:
    _io_apic(tables, IO_APIC, 24)


@defect("two I/O APICs at one address", "APIC")
def _(tables: Tables) -> None:
    _io_apic(tables, 0xFEC00000, 24)


@defect("two I/O APICs with one first GSI", "APIC")
def _(tables: Tables) -> None:
    _io_apic(tables, IO_APIC, 0)


@defect("two I/O APICs whose GSIs overlap", "APIC", noted="if the lower one has 11 inputs or more")
def _(tables: Tables) -> None:
    _io_apic(tables, IO_APIC, 10)


@defect("more I/O APICs than Linux reads", "APIC")
def _(tables: Tables) -> None:
    for number in range(128):
        _io_apic(tables, BASE + ROOM - 0x100 * (number + 1), 24 * (number + 1))


def _initiator(domain: int, flags: int = 1) -> bytes:
    """A generic initiator: PCI device 00:01.0."""
    return struct.pack("<BBBBI16sII", 5, 32, 0, 1, domain, bytes([0, 0, 0, 8]), flags, 0)


@defect("a generic initiator beyond the SLIT")
def _(tables: Tables) -> None:
    append(tables["SRAT"], _initiator(2))


@defect("a generic initiator with PXM 2000 behind all")
def _(tables: Tables) -> None:
    append(tables["SRAT"], _initiator(2000))


@defect("a generic initiator with PXM 2000 before the CPUs", "CPU nodes")
def _(tables: Tables) -> None:
    tables["SRAT"][CPUS:CPUS] = _initiator(2000)
    put(tables["SRAT"], 4, "I", len(tables["SRAT"]))


@defect("a disabled generic initiator before the CPUs", "CPU nodes")
def _(tables: Tables) -> None:
    tables["SRAT"][CPUS:CPUS] = _initiator(1, 0)
    put(tables["SRAT"], 4, "I", len(tables["SRAT"]))
