"""The fields of tables: our names, as `acpi-gen decode --json` has them, and those of iasl."""

import dataclasses
from collections.abc import Callable

import iasl

# An entry's fields as iasl prints them: name -> the values under that name.
Row = dict[str, list[str]]


@dataclasses.dataclass(frozen=True)
class Field:
    """A number, by its name and which of several with that name it is."""

    name: str
    which: int = 0

    def read(self, row: Row) -> object:
        return iasl.value(row[self.name][self.which]) if self.name in row else None


class Bytes(Field):
    """Bytes, which iasl prints one by one or as a little-endian number."""

    def read(self, row: Row) -> object:
        (text,) = row[self.name]
        return text.lower() if " " in text else bytes.fromhex(text)[::-1].hex(" ")


@dataclasses.dataclass(frozen=True)
class Numbers:
    """All numbers with these names, in the order of the names."""

    names: tuple[str, ...]
    # In rows of as many columns as this field has numbers.
    columns: str | None = None

    def read(self, row: Row) -> object:
        found = [iasl.value(text) for name in self.names for text in row.get(name, [])]
        if self.columns is None:
            return found
        width = len(row[self.columns])
        return [found[at : at + width] for at in range(0, len(found), width)]


def numbers(*names: str, columns: str | None = None) -> Numbers:
    return Numbers(names, columns)


@dataclasses.dataclass(frozen=True)
class Domain:
    """The domain of SRAT type 0, in two parts."""

    def read(self, row: Row) -> object:
        low, high = (iasl.value(row[f"Proximity Domain {part}"][0]) for part in ("Low(8)", "High(24)"))
        return high << 8 | low


Fields = dict[str, str | Field | Numbers | Domain]
FLAGS = "Flags (decoded below)"
ADDRESS: Fields = {
    "address_space": "Space ID", "bit_width": "Bit Width", "bit_offset": "Bit Offset", "access_size": "Encoded Access Width",
    "register_address": "Address",
}  # fmt: skip
INITIATOR: Fields = {
    "handle_type": "Device Handle Type", "pxm": "Proximity Domain", "handle": Bytes("Device Handle"), "flags": FLAGS,
}  # fmt: skip
# Signature -> fields in front of the entries.
FIXED: dict[str, Fields] = {
    "MSCT": {
        "entries_offset": "Proximity Offset", "max_domain": "Max Proximity Domains", "max_clock_domain": "Max Clock Domains",
        "max_address": "Max Physical Address",
    },
    "HPET": {"hardware_id": "Hardware Block ID"} | ADDRESS | {
        "number": "Sequence Number", "minimum_tick": "Minimum Clock Ticks", "flags": FLAGS,
    },
    "SPCR": {"interface_type": "Interface Type"} | ADDRESS | {
        "interrupt_type": "Interrupt Type", "irq": "PCAT-compatible IRQ", "gsi": "Interrupt", "baud_rate": "Baud Rate",
        "parity": "Parity", "stop_bits": "Stop Bits", "flow_control": "Flow Control", "terminal_type": "Terminal Type",
        "language": "Language", "pci_device_id": "PCI Device ID", "pci_vendor_id": "PCI Vendor ID", "pci_bus": "PCI Bus",
        "pci_device": "PCI Device", "pci_function": "PCI Function", "pci_flags": "PCI Flags", "pci_segment": "PCI Segment",
        "uart_clock": "Uart Clock Freq", "precise_baud_rate": "Precise Baud rate", "namespace_length": "NameSpaceStringLength",
        "namespace_offset": "NameSpaceStringOffset",
    },
}  # fmt: skip
# Signature -> type -> fields. Types that are not here are named, and their bytes are printed.
ENTRIES: dict[str, dict[int, Fields]] = {
    "APIC": {
        0: {"uid": "Processor ID", "apic_id": "Local Apic ID", "flags": FLAGS},
        1: {"id": "I/O Apic ID", "address": "Address", "gsi_base": "Interrupt"},
        2: {"bus": "Bus", "source": "Source", "gsi": "Interrupt", "flags": FLAGS},
        3: {"flags": FLAGS, "gsi": "Interrupt"},
        4: {"uid": "Processor ID", "flags": FLAGS, "lint": "Interrupt Input LINT"},
        5: {"address": "APIC Address"},
        6: {"id": "I/O Sapic ID", "gsi_base": "Interrupt Base", "address": "Address"},
        7: {"processor": "Processor ID", "id": "Local Sapic ID", "eid": "Local Sapic EID", "flags": FLAGS,
            "uid": "Processor UID"},
        8: {"flags": FLAGS, "interrupt_type": "InterruptType", "processor": "Processor ID", "eid": "Processor EID",
            "vector": "I/O Sapic Vector", "gsi": "Interrupt", "platform_flags": Field(FLAGS, 1)},
        9: {"uid": "Processor UID", "apic_id": "Processor x2Apic ID", "flags": FLAGS},
        10: {"uid": "Processor UID", "flags": FLAGS, "lint": "Interrupt Input LINT"},
        16: {"version": "Mailbox Version", "mailbox": "Mailbox Address"},
    },
    "SRAT": {
        0: {"pxm": Domain(), "apic_id": "Apic ID", "flags": FLAGS, "clock_domain": "Clock Domain"},
        1: {"pxm": "Proximity Domain", "base": "Base Address", "size": "Address Length", "flags": FLAGS},
        2: {"pxm": "Proximity Domain", "apic_id": "Apic ID", "flags": FLAGS, "clock_domain": "Clock Domain"},
        5: INITIATOR,
        6: INITIATOR,
    },
    "HMAT": {
        0: {"flags": FLAGS, "initiator_pxm": "Attached Initiator Proximity Domain", "memory_pxm": "Memory Proximity Domain"},
        1: {"flags": FLAGS, "data_type": "Data Type", "min_transfer_size": "Minimum Transfer Size",
            "base_unit": "Entry Base Unit", "initiator_pxms": numbers("Initiator Proximity Domain List"),
            "target_pxms": numbers("Target Proximity Domain List"),
            "values": numbers("Entry", columns="Target Proximity Domain List")},
        2: {"memory_pxm": "Memory Proximity Domain", "size": "Memory Side Cache Size",
            "attributes": "Cache Attributes (decoded below)", "address_mode": "Address Mode",
            "smbios_handles": numbers("SMBIOS Handle")},
    },
    "PPTT": {
        0: {"flags": FLAGS, "parent": "Parent", "processor_uid": "ACPI Processor ID",
            "private_resources": numbers("Private Resource")},
        1: {"flags": FLAGS, "next_level": "Next Level of Cache", "size": "Size", "sets": "Number of Sets",
            "associativity": "Associativity", "attributes": "Attributes", "line_size": "Line Size", "cache_id": "Cache ID"},
        2: {"vendor": Bytes("Vendor ID"), "level_1": "Level1 ID", "level_2": "Level2 ID", "major": "Major revision",
            "minor": "Minor revision", "spin": "Spin revision"},
    },
    # Their types are revisions.
    "MSCT": {
        1: {"first_pxm": "Domain Range Start", "last_pxm": "Domain Range End", "max_processors": "Processor Capacity",
            "max_memory": "Memory Capacity"},
    },
    "CEDT": {
        0: {"uid": "Associated host bridge", "cxl_version": "Specification version", "base": "Register base",
            "size": "Register length"},
        1: {"base": "Window base address", "size": "Window size", "interleave_ways": "Interleave Members",
            "interleave_arithmetic": "Interleave Arithmetic", "granularity": "Granularity", "restrictions": "Restrictions",
            "qtg_id": "QtgId", "targets": numbers("First Target", "Next Target")},
        2: {"granularity": "Interleave Granularity", "xor_maps": numbers("First Xormap", "Next Xormap")},
    },
    # They have no type.
    "MCFG": {
        0: {"base": "Base Address", "segment": "Segment Group Number", "first_bus": "Start Bus Number",
            "last_bus": "End Bus Number"},
    },
}  # fmt: skip
# The field that an entry starts with, if it is not its type.
FIRST = {"HMAT": "Structure Type", "MSCT": "Revision", "MCFG": "Base Address"}


def entries(signature: str, revision: int, rows: list[tuple[str, str]]) -> list[dict[str, object]]:
    """The entries of a table as decode has them; of types that have no fields here, the type alone."""
    first, kinds, found = FIRST.get(signature, "Subtable Type"), ENTRIES[signature], []
    # A header has a revision, too.
    for name, text in rows[rows.index(next(row for row in rows if row[0] == "Asl Compiler Revision")) :]:
        if name == first:
            found.append({})
        if found:
            found[-1].setdefault(name, []).append(text)
    return [entry(signature, revision, 0 if signature == "MCFG" else iasl.value(row[first][0]), row, kinds) for row in found]


def entry(signature: str, revision: int, kind: int, row: Row, kinds: dict[int, Fields]) -> dict[str, object]:
    found = {"type": kind} | read(kinds.get(kind, {}), row)
    if signature == "SRAT" and kind == 1 and found["flags"] & 8:
        found["specific_purpose"] = True
    # Fields of ACPI 6.2 that are reserved since.
    if signature == "HMAT" and kind == 0 and revision < 2:
        found |= read({"base": "Reserved3", "size": "Reserved4"}, row)
    return found


def read(names: Fields, row: Row) -> dict[str, object]:
    """The fields that the table is long enough for."""
    one: Callable[[object], object] = lambda field: (Field(field) if isinstance(field, str) else field).read(row)
    found = {ours: one(theirs) for ours, theirs in names.items()}
    return {ours: value for ours, value in found.items() if value is not None}


def fixed(signature: str, rows: list[tuple[str, str]]) -> dict[str, object]:
    """The fields in front of the entries, of the tables of which these are listed here."""
    row: Row = {}
    for name, text in rows:
        row.setdefault(name, []).append(text)
    return read(FIXED.get(signature, {}), row)
