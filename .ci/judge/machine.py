"""The machines of fixtures/qemu: NAME.toml describes the tables that a guest gets, NAME.qemu holds
the suite of Debian whose QEMU it is and that QEMU's arguments."""

import dataclasses
import functools
import pathlib
import shlex
import subprocess

import qemu

CI = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = CI.parent / "fixtures" / "qemu"


@dataclasses.dataclass
class Machine:
    name: str
    topology: pathlib.Path
    command: list[str]  # QEMU and its arguments, up to what a boot adds


@functools.cache
def _qemu(suite: str) -> list[str]:
    """QEMU out of that suite, with its firmware folders."""
    done = subprocess.run([CI / "debian", "with-libs", suite, "qemu-system-x86"], check=True, stdout=subprocess.PIPE, text=True)
    root = done.stdout.strip()
    # Its modules would be looked for beside the program, which is the loader here.
    return ["env", f"QEMU_MODULE_DIR={root}/usr/lib/x86_64-linux-gnu/qemu", str(CI / "in-root"), root,
            "usr/bin/qemu-system-x86_64",
            "-L", f"{root}/usr/share/qemu", "-L", f"{root}/usr/share/seabios"]  # fmt: skip


def machines(names: list[str]) -> list[Machine]:
    """Those of these names, or all."""
    found = []
    for path in [FIXTURES / f"{name}.qemu" for name in names] or sorted(FIXTURES.glob("*.qemu")):
        suite, *arguments = shlex.split(path.read_text())
        found.append(Machine(path.stem, path.with_suffix(".toml"), [*_qemu(suite), *arguments]))
    if not found:
        raise FileNotFoundError(f"no machines in {FIXTURES}")
    return found


def dump(machine: Machine, kernel: pathlib.Path, initramfs: bytes, out: pathlib.Path) -> pathlib.Path:
    """The machine's own ACPI tables, as its firmware gave them to a kernel: a folder of files."""
    folder = out / "machine"
    folder.mkdir(parents=True, exist_ok=True)
    plain = out / "initramfs"
    plain.write_bytes(initramfs)
    report = qemu.boot(machine.command, kernel, plain, out / "dump")
    for old in folder.iterdir():
        old.unlink()
    for name, table in report.tables.items():
        (folder / name).write_bytes(table)
    return folder
