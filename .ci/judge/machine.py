"""QEMU's machines: a file NAME.qemu holds the suite of Debian whose QEMU it is and that QEMU's arguments;
in fixtures/qemu, NAME.toml beside it describes the tables that the machine gets instead of its own."""

import dataclasses
import functools
import pathlib
import shlex
import shutil
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


def machines(folder: pathlib.Path, names: list[str]) -> list[Machine]:
    """Those of these names, or all of the folder."""
    found = []
    for path in [folder / f"{name}.qemu" for name in names] or sorted(folder.glob("*.qemu")):
        suite, *arguments = shlex.split(path.read_text())
        found.append(Machine(path.stem, path.with_suffix(".toml"), [*_qemu(suite), *arguments]))
    if not found:
        raise FileNotFoundError(f"no machines in {folder}")
    return found


def dump(machine: Machine, kernel: pathlib.Path, initramfs: bytes, out: pathlib.Path) -> qemu.Report:
    """A boot with the machine's own ACPI tables, which go into the folder `machine` as files."""
    folder = out / "machine"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    plain = out / "initramfs"
    plain.write_bytes(initramfs)
    report = qemu.boot(machine.command, kernel, plain, out / "dump")
    for name, table in report.tables.items():
        (folder / name).write_bytes(table)
    return report
