"""Boots xen.efi with a dom0 in QEMU: OVMF starts it as the ESP's default program, and it reads its configuration,
dom0's kernel and the initrd from the folder it lies in."""

import pathlib

import xen
from loaders import Uefi

# The program's name with another ending.
CONFIG = "BOOTX64.cfg"


def config(xen_line: str, dom0_line: str) -> str:
    """Xen docs/misc/efi.pandoc."""
    return f"[global]\ndefault=dom0\n\n[dom0]\noptions={xen_line}\nkernel=kernel {dom0_line}\nramdisk=initrd\n"


def command(ovmf: pathlib.Path, hypervisor: pathlib.Path, machine: list[str], of: xen.Kernel, initrd: pathlib.Path,
            out: pathlib.Path, xen_line: str, dom0_line: str = "") -> list[str]:  # fmt: skip
    """As `xen.command`; `hypervisor` is a xen.efi, and `ovmf` the folder of OVMF_CODE.fd and OVMF_VARS.fd."""
    text = config(f"{xen.XEN_LINE} {xen_line}", f"{xen.DOM0_LINE} {dom0_line}")
    files = {CONFIG: text.encode(), "kernel": of.image.read_bytes(), "initrd": initrd.read_bytes()}
    return ["qemu-system-x86_64", *machine, *Uefi(hypervisor, ovmf).arguments(files, out)]
