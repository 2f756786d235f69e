"""Boots that are wrong in one thing, made of a good one: a judge has to tell each apart."""

import copy
import re
from collections.abc import Iterator

import xen

# Where a table's OEM id or OEM table id starts: bytes that no address and no checksum is in. ACPI 6.5, 5.2.5.3 and 5.2.6.
OEM = {"RSDP": 9, "XSDT": 16, "RSDT": 16}


def _with(boot: xen.Boot, path: str, pattern: str, replacement: str) -> xen.Boot:
    """Another text in the report, in the first place."""
    wrong = copy.deepcopy(boot)
    wrong.report.text[path] = re.sub(pattern, replacement, boot.report.text[path], count=1, flags=re.M)
    return wrong


def plain(boot: xen.Boot, srat: bool) -> Iterator[tuple[str, xen.Boot]]:
    """A dom0 without vNUMA that has other ids than 2 * vCPU, by each thing that tells its ids; and, where it should
    have none, an SRAT."""
    if srat:
        wrong = copy.deepcopy(boot)
        wrong.report.tables["SRAT"] = wrong.report.tables["APIC"]
        yield "an SRAT", wrong
    if boot.probe("emulated-cpuid 0"):
        yield "the emulated id of vCPU 1", _with(boot, "dom0-probe", r"^(probe emulated-cpuid 1 .*x2apic) 2 ", r"\1 1 ")
    else:
        yield "the id of vCPU 1", _with(boot, "/proc/cpuinfo", r"^(initial apicid\s*:) 2$", r"\1 1")
    yield "get_vcpu_apicids", _with(boot, "dom0-probe", r"^(probe apicids) .*$", r"\1 0 1 2 3")


def twins(boot: xen.Boot, moved: bool) -> Iterator[tuple[str, xen.Boot]]:
    """Other tables: a byte of the MADT, an SRAT more or less, and two bytes of each that came out of dom0's memory,
    such that the checksums stay right; and, unless it has moved, another memory map."""
    wrong = copy.deepcopy(boot)
    table = wrong.report.tables["APIC"]
    wrong.report.tables["APIC"] = table[:-1] + bytes([table[-1] ^ 1])
    yield "MADT", wrong
    wrong = copy.deepcopy(boot)
    if not wrong.report.tables.pop("SRAT", None):
        wrong.report.tables["SRAT"] = table
    yield "SRAT", wrong
    for name, content in re.findall(r"^probe memory (\w+) ([0-9a-f]+)$", boot.report.text["dom0-probe"], re.M):
        changed, at = bytearray.fromhex(content), OEM[name]
        changed[at : at + 2] = ((changed[at] + 1) % 256, (changed[at + 1] - 1) % 256)
        yield name, _with(boot, "dom0-probe", rf"^(probe memory {name}) .*$", rf"\1 {changed.hex()}")
    if not moved:
        yield "memory map", _with(boot, "dmesg", r"((?:BIOS-e820|Xen): \[mem 0x[0-9a-f]+)[0-9a-f]-", r"\1f-")
