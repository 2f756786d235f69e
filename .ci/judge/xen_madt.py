"""Xen on a host whose MADT has defects: what Xen says while it boots, and what `acpi-gen check` says of the same MADT,
are compared with one list of both."""

import dataclasses
import pathlib
import re
import subprocess
from collections.abc import Callable

import firmware
import qemu
from xen import XEN_LINE

# Processors of the machine; their APIC ids are 0, 1 and 2.
CPUS = 3
# Xen starts the processors less than 4 s after power-on; a machine that takes this many seconds hangs there.
HANGS_AFTER = 20
LINES = re.compile(r"(?:WARNING: (?:APIC ID|NR_CPUS)|SMP: Allowing|Brought up|Panic).*")


class Madt(bytearray):
    """A MADT with type 9 entries from the first on."""

    def put(self, entry: int, *, apic_id: int | None = None, flags: int | None = None, uid: int | None = None) -> None:
        """Changes the fields of an entry. ACPI 6.5, 5.2.12.12."""
        for offset, value in ((4, apic_id), (8, flags), (12, uid)):
            if value is not None:
                at = 44 + 16 * entry + offset
                self[at : at + 4] = value.to_bytes(4, "little")

    def put_type_0(self, entry: int, apic_id: int) -> None:
        """Replaces an entry by an enabled and an empty type 0 entry. ACPI 6.5, 5.2.12.2."""
        at = 44 + 16 * entry
        self[at : at + 16] = bytes([0, 8, apic_id, apic_id, 1, 0, 0, 0, 0, 8, 0, 0xFF, 0, 0, 0, 0])


@dataclasses.dataclass(frozen=True)
class Case:
    """Entries of the MADT, the change, and what Xen and `check` say of it."""

    entries: int
    change: Callable[[Madt], None]
    xen: list[str]
    check: list[str]
    # Xen waits some seconds for each processor that the machine does not have.
    end: str = "Brought up"
    limit: int = qemu.TIME_LIMIT


def beyond_limits(madt: Madt) -> None:
    madt.put(3, apic_id=0)
    madt.put(4, apic_id=1023, uid=511, flags=0)
    madt.put(5, apic_id=1024)
    madt.put(6, uid=512)
    madt.put(7, apic_id=5000, flags=0)


def more_than_max_apics(madt: Madt) -> None:
    """The first and the last three are enabled; of these, one is within the limit."""
    for entry in range(1, 1026):
        madt.put(entry, apic_id=entry % 512, uid=entry % 512, flags=0)
    for apic_id, entry in enumerate((1023, 1024, 1025), 1):
        madt.put(entry, apic_id=apic_id, uid=apic_id, flags=1)


def all_disabled(madt: Madt) -> None:
    for entry in range(CPUS):
        madt.put(entry, flags=0)


CASES = {
    "ids and UIDs beyond the limits, and the boot CPU twice": Case(
        8,
        beyond_limits,
        ["WARNING: APIC ID 0x400 and/or ACPI ID 0x5 beyond limit - processor ignored",
         "WARNING: APIC ID 0x6 and/or ACPI ID 0x200 beyond limit - processor ignored",
         "SMP: Allowing 4 CPUs (0 hotplug CPUs)", "Brought up 3 CPUs"],
        ["error: Xen: APIC: 2 enabled CPUs (the first: APIC id 1024, UID 5) are ignored: ids must be below 1024 and UIDs"
         ' below 512 ("beyond limit")',
         "note: Xen: APIC: several usable entries have APIC id 0: that of the CPU that boots, which it does not start"],
    ),
    "more CPUs than NR_CPUS": Case(
        257,
        lambda madt: None,
        ["WARNING: NR_CPUS limit of 256 reached - ignoring further processors", "SMP: Allowing 256 CPUs (0 hotplug CPUs)"],
        ['error: Xen: APIC: 257 enabled CPUs: those beyond 256 are ignored ("NR_CPUS limit of 256 reached")'],
        end="SMP: Allowing",
    ),
    "more entries than MAX_APICS": Case(
        1026,
        more_than_max_apics,
        ["SMP: Allowing 2 CPUs (0 hotplug CPUs)", "Brought up 2 CPUs"],
        ["error: Xen: APIC: 1026 entries of type 0x9: those beyond 1024 are ignored"],
    ),
    "no enabled CPU": Case(
        CPUS,
        all_disabled,
        ["SMP: Allowing 1 CPUs (1 hotplug CPUs)", "Brought up 1 CPUs"],
        ["error: Xen: APIC: no usable processor"],
    ),
    "a CPU twice, by type 0 and type 9": Case(
        4,
        lambda madt: madt.put_type_0(3, 1),
        ["SMP: Allowing 4 CPUs (0 hotplug CPUs)"],
        ["error: Xen: APIC: several usable entries have APIC id 1: it hangs when it starts that CPU again"],
        limit=HANGS_AFTER,
    ),
}  # fmt: skip


def tables(acpi_gen: pathlib.Path, case: Case, folder: pathlib.Path) -> bytes:
    """A set for address 0 with the case's MADT, which the folder has as apic.dat."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "host.toml").write_text(
        f'[apic]\nencoding = "explicit"\n[[node]]\npxm = 0\ncpus = "0-{case.entries - 1}"\n'
        f'apic_ids = {list(range(case.entries))}\nmemory = ["0x100000-0x40000000"]\n'
        "[[ioapic]]\nid = 0\naddress = 0xfec00000\ngsi_base = 0\n[[override]]\nsource = 0\ngsi = 2\n"
    )
    command = [acpi_gen, "emit", folder / "host.toml", "--complete", "--base", "0", "--out", folder]
    # It warns of ids above 254.
    subprocess.run(command, check=True, capture_output=True)
    blob, madt = bytearray((folder / "tables.bin").read_bytes()), Madt((folder / "apic.dat").read_bytes())
    at = blob.index(madt)
    case.change(madt)
    madt[9] = 0
    madt[9] = -sum(madt) & 0xFF
    blob[at : at + len(madt)] = madt
    (folder / "apic.dat").write_bytes(madt)
    # The machine has a CMOS clock, without which Xen 4.20 panics. IAPC_BOOT_ARCH, ACPI 6.5, 5.2.9.3.
    blob[blob.index(b"FACP") + 109] &= ~0x20
    return bytes(blob)


def judge(version: str, hypervisor: pathlib.Path, kernel: pathlib.Path, acpi_gen: pathlib.Path, out: pathlib.Path) -> bool:
    """Whether Xen and `check` say what the cases have."""

    def boot(name: str) -> tuple[list[str], list[str]]:
        case, folder = CASES[name], out / f"{version}-madt-{re.sub('[^a-z0-9A-Z]+', '-', name)}"
        arguments = firmware.arguments(tables(acpi_gen, case, folder), folder)
        command = ["qemu-system-x86_64", "-machine", "q35", "-cpu", "EPYC,-monitor,-rdtscp", "-m", "1G",
                   "-smp", f"{CPUS},sockets={CPUS},cores=1,threads=1", *arguments, "-kernel", str(hypervisor),
                   "-initrd", str(kernel), "-append", f"{XEN_LINE} noreboot"]  # fmt: skip
        qemu.start(command, folder, case.limit, case.end)
        console = (folder / "console.log").read_text(errors="replace").replace("\r", "")
        check = subprocess.run([acpi_gen, "check", folder / "apic.dat", "--for", "xen"], capture_output=True, text=True)
        return LINES.findall(console), check.stdout.splitlines()

    good = True
    for name, result in qemu.side_by_side(boot, list(CASES)):
        xen, check = result()
        agree = (xen, check) == (CASES[name].xen, CASES[name].check)
        good &= agree
        print(f"Xen {version} {name}: {'ok' if agree else 'FAILED'}", flush=True)
        if not agree:
            print(*xen, *check, sep="\n    ")
    return good
