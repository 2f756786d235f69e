"""Boots Xen with a dom0 in QEMU, and reads what Xen and dom0 say."""

import dataclasses
import lzma
import pathlib
import re
import threading
from collections.abc import Callable

import cpio
import kernel_forms
import qemu
from topology import cpulist

DOM0_LINE = (
    "console=hvc0 earlyprintk=xen ignore_loglevel log_buf_len=4M panic=-1 nokaslr mitigations=off "
    "random.trust_cpu=on lpj=4000000 rdinit=/init"
)
# The double fault's gate in Linux's IDT: asm/pgtable_areas.h, CPU_ENTRY_AREA_RO_IDT; gates have 16 bytes.
DOUBLE_FAULT_GATE = 0xFFFFFE0000000000 + 8 * 16
TRIES = 3
XEN_LINE = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all"


@dataclasses.dataclass
class Kernel:
    """A Debian kernel, and the module that gives programs hypercalls."""

    image: pathlib.Path
    privcmd: bytes

    def unpacked(self, out: pathlib.Path) -> "Kernel":
        """With the ELF file as the image, written to the folder `out`: under emulation Xen takes 3 s to unpack one."""
        image = out / "vmlinux"
        image.write_bytes(kernel_forms.elf(self.image.read_bytes()))
        return dataclasses.replace(self, image=image)


def kernel(root: pathlib.Path) -> Kernel:
    """The one in an unpacked linux-image package."""
    (image,) = root.glob("boot/vmlinuz-*")
    (module,) = root.glob("**/drivers/xen/xen-privcmd.ko*")
    data = module.read_bytes()
    return Kernel(image, lzma.decompress(data) if module.suffix == ".xz" else data)


def initramfs(of: Kernel, busybox: pathlib.Path, *programs: pathlib.Path) -> bytes:
    files = cpio.unpack(cpio.initramfs(busybox, *programs))
    directory = (0o040755, b"")
    return cpio.pack(
        {name: directory for name in ("bin", "dev", "proc", "sys")}
        | {name: (0o100755, data) for name, data in files.items()}
        | {"xen-privcmd.ko": (0o100644, of.privcmd)}
    )


@dataclasses.dataclass
class Boot:
    """One boot."""

    report: qemu.Report
    console: str

    def xen(self) -> list[str]:
        """Xen's own lines."""
        return re.findall(r"^\(XEN\) (?:\[[^]]*\] )?(.*)$", self.console.replace("\r", ""), re.M)

    def probe(self, key: str) -> list[list[str]]:
        """The values of every line that the probe printed for this key."""
        lines = self.report.text.get("dom0-probe", "").splitlines()
        return [line.removeprefix(f"probe {key} ").split() for line in lines if line.startswith(f"probe {key} ")]

    def debug_key(self, domain: int) -> tuple[dict[int, int], dict[int, tuple[int, list[int]]]]:
        """What Xen's debug key 'u' reports of a domain: its pages by node, and (pnode, vCPUs) by vnode."""
        part = re.search(rf"^(?:d|Domain ){domain} \(total: \d+\):\n((?: .*\n?)*)", "\n".join(self.xen()), re.M)
        text = part[1] if part else ""
        pages = {int(node): int(count) for node, count in re.findall(r"^ +Node (\d+): (\d+)", text, re.M)}
        vnodes = re.findall(r"^ +(\d+): pnode +(\d+), vcpus ([0-9, -]*)$", text, re.M)
        return pages, {int(vnode): (int(pnode), cpulist(cpus.strip())) for vnode, pnode, cpus in vnodes}


def emulator_failed(said: str, console: str) -> bool:
    """Whether QEMU's emulation is at fault: the machine hangs; or it ends and Xen, which gives a reason for each
    end of its own, has not said a word of it; or the state of a guest in its VMCB is the hypervisor's (code segment
    0xe008, the instruction behind VMRUN), which no guest can bring about; or dom0's page tables no longer reach its
    IDT, by which it took each interrupt until then. A panic is a result, and a triple fault of a guest's own code is
    one too. What is no accident comes again in the tries that follow."""
    hangs = "no end after" in said and "Panic on CPU" not in console
    ends = re.search("Panic on CPU|Hardware Dom0 (shutdown|halted|crashed)", console) is None
    lost = re.search(r"RIP: +e008:\[<ffff82[0-9a-f]{10}>\]\s.*CONTEXT: hvm guest", console.replace("\r", ""), re.S)
    blind = f"cr2: {DOUBLE_FAULT_GATE:016x}" in console
    return hangs or ends or ("Triple fault" in console and (lost is not None or blind))


@dataclasses.dataclass
class Machines:
    """What was started so far, and how often the emulator failed it."""

    started: int = 0
    failed: int = 0  # at least once
    retries: int = 0


machines = Machines()
# Boots run side by side.
counting = threading.Lock()


def most_failed() -> int:
    """Machines of those started that may need another try: what fails more often is no accident of the emulator's. As
    a run with more failures fails, no more time is spent on tries then."""
    return max(3, machines.started // 4)


def few_retries() -> bool:
    """Prints the retries so far, and whether few machines needed one."""
    counts = f"{machines.retries} retries in all, for {machines.failed} of {machines.started} machines"
    print(f"{counts}; at most {most_failed()} may need one", flush=True)
    return machines.failed <= most_failed()


def retried(start: Callable[[], tuple[object, str]], logs: pathlib.Path) -> tuple[object, str]:
    """What a machine came to, by `start`, which also says how it ended; and its console. One that the emulator failed
    gets another try."""
    with counting:
        machines.started += 1
    for attempt in range(1, TRIES + 1):
        result, said = start()
        console = (logs / "console.log").read_text(errors="replace")
        if attempt == TRIES or machines.failed > most_failed() or not emulator_failed(said, console):
            break
        with counting:
            machines.retries += 1
            machines.failed += attempt == 1
        print(f"emulation failed in {logs}, another try: {(said or console)[-300:]}", flush=True)
    return result, console


def run(command: list[str], logs: pathlib.Path, limit: int = qemu.TIME_LIMIT) -> tuple[qemu.Report, str]:
    """dom0's report, and the console."""

    def start() -> tuple[qemu.Report | qemu.BootFailed, str]:
        try:
            return qemu.run(command, logs, limit), ""
        except qemu.BootFailed as failure:
            return failure, str(failure)

    result, console = retried(start, logs)
    if isinstance(result, qemu.BootFailed):
        raise result
    return result, console


def boot(command: list[str], logs: pathlib.Path) -> Boot:
    """One boot of Xen with a dom0, and another where the emulator failed."""
    return Boot(*run(command, logs))


def command(hypervisor: pathlib.Path, machine: list[str], of: Kernel, initrd: pathlib.Path, xen_line: str,
            dom0_line: str = "", policy: pathlib.Path | None = None) -> list[str]:  # fmt: skip
    """QEMU and its arguments for a boot of Xen with a dom0. `policy` is FLASK's."""
    return ["qemu-system-x86_64", *machine, "-kernel", str(hypervisor), "-append", f"{XEN_LINE} {xen_line}",
            "-initrd", f"{of.image} {DOM0_LINE} {dom0_line},{initrd}" + (f",{policy}" if policy else "")]  # fmt: skip
