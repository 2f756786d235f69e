"""The loaders under test: what QEMU is started with so that each finds its files."""

import os
import pathlib
import re
import shutil
import struct
import subprocess
import uuid

import cpio

README = pathlib.Path(__file__).resolve().parents[2] / "pvh-loader" / "README.md"


class Uefi:
    """OVMF starts the application as the ESP's default program. Should it return, the firmware's
    shell says so by startup.nsh and ends the machine."""

    name = "UEFI"
    says = "pvh-loader"
    # Whether the firmware's own console is on the serial port, or firmware writes nothing there.
    firmware_speaks = True
    own_tables = False

    def __init__(self, application: pathlib.Path, ovmf: pathlib.Path):
        self.application, self.ovmf = application, ovmf

    def arguments(self, files: dict[str, bytes], out: pathlib.Path) -> list[str]:
        esp = _empty(out / "esp")
        folder = esp / "EFI" / "BOOT"
        folder.mkdir(parents=True)
        shutil.copy(self.application, folder / "BOOTX64.EFI")
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (esp / "startup.nsh").write_text("echo back in the firmware\r\nreset -s\r\n")
        return self.flash((self.ovmf / "OVMF_VARS.fd").read_bytes(), out) + _disk(esp)

    def flash(self, variables: bytes, out: pathlib.Path) -> list[str]:
        own = out / "vars.fd"
        own.write_bytes(variables)
        flash = "if=pflash,format=raw"
        return ["-drive", f"{flash},unit=0,readonly=on,file={self.ovmf / 'OVMF_CODE.fd'}",
                "-drive", f"{flash},unit=1,file={own}"]  # fmt: skip


# Starts the application, and ends the machine where that came back with EFI_LOAD_ERROR, which the shell
# has without its highest bit.
SCRIPT = (r"FS0:\EFI\pvh\pvh-loader.efi", "if %lasterror% == 0x1 then", "reset -s", "endif", "")


class Display(Uefi):
    """A machine whose console is a display alone, where the shell starts what the README's four lines
    put on the ESP."""

    name = "display"
    firmware_speaks = False

    def __init__(self, ovmf: pathlib.Path):
        self.ovmf = ovmf

    def arguments(self, files: dict[str, bytes], out: pathlib.Path) -> list[str]:
        given, esp = _empty(out / "files"), _empty(out / "esp")
        for name, content in files.items():
            (given / name).write_bytes(content)
        paths = {"KERNEL": given / "kernel", "INITRD": given / "initrd", "TOPOLOGY": given / "topology.toml", "ESP": esp}
        variables = {name: str(path.resolve()) for name, path in paths.items()} | {"CMDLINE": files["cmdline"].decode()}
        command = ["bash", "-euo", "pipefail", "-c", fence("esp", 4)]
        subprocess.run(command, check=True, cwd=README.parents[1], env=os.environ | variables)
        (esp / "startup.nsh").write_text("\r\n".join(SCRIPT))
        console = console_on_display((self.ovmf / "OVMF_VARS.fd").read_bytes())
        return [*self.flash(console, out), *_disk(esp), "-device", "VGA,addr=2"]


class Stage:
    """QEMU itself loads the stage, with the files as its module: packed as the README says where there are all four."""

    name = "stage"
    says = "pvh-stage"
    firmware_speaks = False

    def __init__(self, program: pathlib.Path, own_tables: bool = False):
        self.program, self.own_tables = program, own_tables

    def arguments(self, files: dict[str, bytes], out: pathlib.Path) -> list[str]:
        given = _empty(out / "files")
        archive = given / "files.cpio"
        for name, content in files.items():
            (given / name).write_bytes(content)
        if len(files) == 4:
            subprocess.run(["bash", "-euo", "pipefail", "-c", fence("stage", 1)], check=True, cwd=given)
        else:
            archive.write_bytes(cpio.pack({name: (0o100644, content) for name, content in files.items()}))
        line = "own-tables" if self.own_tables else ""
        return ["-kernel", str(self.program), "-initrd", str(archive), "-append", line]


def _empty(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def drop_files(out: pathlib.Path) -> None:
    """Removes what the loaders were given in all folders under this one."""
    for name in ("esp", "files"):
        for folder in out.rglob(name):
            shutil.rmtree(folder)


def _disk(esp: pathlib.Path) -> list[str]:
    return ["-drive", f"format=raw,file=fat:rw:{esp}"]


def fence(name: str, count: int) -> str:
    """The commands of this fence of the README: as many as it promises."""
    [lines] = re.findall(rf"^```sh {name}\n(.*?)^```$", README.read_text(), re.M | re.S)
    if lines.count("\n") != count:
        raise ValueError(f"{README}: not {count} lines:\n{lines}")
    return lines


# UEFI 2.10, 10.3: a node is type, subtype, length and contents. These are of QEMU's q35.
ROOT = bytes.fromhex("0201 0c00 d041030a 00000000")  # ACPI: PNP0A03, 0
VGA = ROOT + bytes.fromhex("0101 0600 0002  0203 0800 00010180  7fff 0400")  # PCI 2.0, ACPI display
KEYBOARD = ROOT + bytes.fromhex("0101 0600 001f  0201 0c00 d0410303 00000000  7fff 0400")  # PCI 31.0, PNP0303
GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c").bytes_le
STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le  # with authenticated variables
HEADER = 28  # of a variable store


def console_on_display(empty: bytes) -> bytes:
    """OVMF's empty variables with the display as console. OVMF adds the serial ports to ConOut, ConIn and
    ErrOut at each start, which it cannot where they have other attributes than it would give them."""
    at = empty.index(STORE) + HEADER
    added = b"".join(_variable(name, path) for name, path in (("ConOut", VGA), ("ErrOut", VGA), ("ConIn", KEYBOARD)))
    if set(empty[at : at + len(added)]) != {0xFF}:
        raise ValueError("OVMF_VARS.fd is not empty")
    return empty[:at] + added + empty[at + len(added) :]


def _variable(name: str, data: bytes) -> bytes:
    """edk2's authenticated variable: start, state (added), attributes (non-volatile, boot services), count,
    time, key, sizes, vendor, name and data."""
    text = (name + "\0").encode("utf-16-le")
    head = struct.pack("<HBxI8x16x4xII16s", 0x55AA, 0x3F, 3, len(text), len(data), GLOBAL)
    return head + text + data + b"\xff" * (-len(head + text + data) % 4)
