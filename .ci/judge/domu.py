"""Boots Xen in QEMU, lets the domU toolstack create guests in its dom0, and compares what the guests, Xen
and the toolstack say with the topologies."""

import argparse
import dataclasses
import pathlib
import re
import sys

import boots
import cpio
import domu_contract
import domu_guest
import topology
import xen
from xen_machine import uniform

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GUESTS = ROOT / "fixtures" / "domu"
# One CPU: mappings of guests' memory cost an interrupt to every other CPU, which takes long in emulation.
HOST = uniform("domu", (1, 2560), (0, 2048), distances={(0, 1): 17})
XEN_LINE = "dom0=pvh,verbose dom0_mem=1G dom0_vcpus_pin=1"
# ignore_loglevel and earlyprintk: the whole log, which also carries the guest's report.
GUEST_LINE = (
    "earlyprintk=xen,keep ignore_loglevel printk.devkmsg=on panic=-1 nokaslr mitigations=off random.trust_cpu=on lpj=4000000"
)
# Ends a hang, and judges nothing: ten times the boot with all runs, which takes two minutes.
LIMIT = 1200
# Linux sets Xen's timers by ACPI's UID, and stops where Xen refuses CPU 4 the timer of vCPU 4 on vCPU 3. Without
# Xen's events it uses the local APIC's timer, and needs to be told a frequency, any.
BREACH_LINE = "xen_no_vector_callback tsc_early_khz=2000000"
# Name, topology, further arguments of guests that follow their layout.
OPTED_IN = {
    "5 as 3/2": ("3-2.toml", ""),
    "6 as 1/2/3": ("1-2-3.toml", "--order vnuma-vcpus-policy"),
    "8 as 2x4": ("2x4.toml", "--order vnuma-policy"),
    "17 as 9+8x1": ("9-8x1.toml", "--order policy-vnuma-vcpus"),
}


def create(arguments: str, line: str = GUEST_LINE) -> str:
    """The toolstack's arguments for a guest."""
    images = "--kernel /guests/vmlinuz --initrd /guests/initrd"
    return f"create {images} --native-tsc --debug-keys u --timeout {LIMIT} --cmdline '{line}' {arguments}"


@dataclasses.dataclass
class Boot:
    console: str
    runs: dict[str, str]  # what the toolstack said, by the run's name

    def status(self, run: str) -> int:
        found = re.search(r"^status (\d+)\n?\Z", self.runs.get(run, ""), re.M)
        return int(found[1]) if found else -1


def initramfs(of: xen.Kernel, options: argparse.Namespace, runs: dict[str, str]) -> bytes:
    """dom0's root file system, with the guests' kernel and root file system in it."""
    folder = (0o040755, b"")
    program = lambda path: (0o100755, path.read_bytes())
    folders = {name: folder for name in ("bin", "dev", "proc", "sys")}
    guest_kernel = xen.kernel(options.guest_kernel)
    guest = cpio.pack(folders | {"init": program(options.guest_report), "xen-privcmd.ko": (0o100644, guest_kernel.privcmd)})
    files = {
        "bin/busybox": program(options.busybox),
        "bin/domu-toolstack": program(options.toolstack),
        "bin/polled-serial": program(options.polled_serial),
        "init": program(pathlib.Path(__file__).with_name("domu-init")),
        "xen-privcmd.ko": (0o100644, of.privcmd),
        "guests": folder,
        "guests/bad": folder,
        "guests/initrd": (0o100644, guest),
        "guests/vmlinuz": (0o100644, guest_kernel.image.read_bytes()),
        "runs": (0o100644, "".join(f"{name.replace(' ', '_')} {line}\n" for name, line in runs.items()).encode()),
    }
    for path in [*GUESTS.glob("*.*"), *GUESTS.glob("bad/*.*")]:
        files[f"guests/{path.relative_to(GUESTS)}"] = (0o100644, path.read_bytes())
    return cpio.pack(folders | files)


def boot(hypervisor: pathlib.Path, options: argparse.Namespace, runs: dict[str, str], logs: pathlib.Path) -> Boot:
    """One boot of dom0, in which the toolstack makes these runs."""
    logs.mkdir(parents=True, exist_ok=True)
    of = xen.kernel(options.kernel).unpacked(logs)
    initrd = logs / "initrd"
    initrd.write_bytes(initramfs(of, options, runs))
    command = ["qemu-system-x86_64", *HOST.qemu(None), "-kernel", str(hypervisor), "-append", f"{xen.XEN_LINE} {XEN_LINE}",
               "-initrd", f"{of.image} {xen.DOM0_LINE},{initrd}"]  # fmt: skip
    report, console = xen.run(command, logs, LIMIT)
    console = console.replace("\r", "")
    said = {name.replace("_", " "): text for name, text in report.text.items()}
    print(f"{logs.name}: {len(runs)} runs of the toolstack in {report.seconds:.0f} s", flush=True)
    return Boot(console, said)


def legacy(expected: topology.Topology) -> topology.Topology:
    """The same guest with the ids that it has without the opt-in."""
    cpus = [dataclasses.replace(cpu, apic_id=2 * number) for number, cpu in enumerate(expected.cpus)]
    return dataclasses.replace(expected, cpus=cpus, packages=None)


def judge_opted_in(name: str, result: Boot, file: str) -> list[str]:
    """A guest that follows its layout, and wrong descriptions of it that must be told apart."""
    if result.status(name) != 0:
        return [f"the toolstack: {result.runs.get(name, 'nothing')[-300:]}"]
    expected = topology.read(GUESTS / file)
    guest = domu_guest.read(result.runs[name], result.console)
    findings = domu_guest.opted_in(guest, expected)
    wrongs = list(boots.mutations(expected, {}))
    survived = [what for what, wrong, _ in wrongs if not domu_guest.opted_in(guest, wrong)]
    return findings + [f"a wrong description passes too: {what}" for what in survived]


def judge_breach(guest: domu_guest.Guest) -> list[str]:
    """The opt-in without its duty: a MADT of 2 * vCPU where the ids are 0, 2, 4, 8, 10. No local APIC has
    id 6, so CPU 3 stays offline, and id 8 starts vCPU 3 under the UID of vCPU 4, which never runs."""
    text = lambda path: guest.report.text.get(f"/sys/devices/system/cpu/{path}", "").strip()
    expected = {
        "ids": ([0, 2, 4, 8, 10], guest.created["ids"]),
        "MADT's (UID, id)": ([(0, 0), (1, 2), (2, 4), (3, 6), (4, 8)], domu_guest.madt(guest.report.tables.get("APIC", b""))),
        "CPUs online": ("0-2,4", text("online")),
        "CPUs offline": ("3", text("offline")),
        "CPUs that do not come up": (["3"], re.findall(r"do_boot_cpu failed.* to wakeup CPU#(\d+)", guest.report.dmesg)),
        "id of each CPU": ({0: 0, 1: 2, 2: 4, 4: 8}, {cpu: leaves["b.0"][3] for cpu, leaves in guest.cpuid.items()}),
        "package of CPU 4": ("1", text("cpu4/topology/physical_package_id")),
        "vCPUs that ran": ([True, True, True, True, False], guest.ended.get("vcpus_started")),
        "the guest's end": ("poweroff", guest.ended.get("shutdown")),
    }
    return [f"{what}: {found} and not {right}" for what, (right, found) in expected.items() if right != found]


def judge_legacy(name: str, result: Boot, file: str, source: str) -> list[str]:
    """A guest without the opt-in: ids by number, and who said so."""
    expected = legacy(topology.read(GUESTS / file))
    guest = domu_guest.read(result.runs[name], result.console)
    findings = [*domu_guest.tables(guest, expected), *domu_guest.placed(guest, expected), *domu_guest.ended(guest, expected)]
    for key in ("ids", "madt"):
        if guest.created[key] != [cpu.apic_id for cpu in expected.cpus]:
            findings.append(f"{key}: {guest.created[key]}")
    if guest.created["id_source"] != source:
        findings.append(f"the ids are from {guest.created['id_source']} and not from {source}")
    if sorted(guest.cpuid) != list(range(len(expected.cpus))):
        findings.append(f"CPUs online: {sorted(guest.cpuid)}")
    return findings


def same_as_stock(ours: Boot, stock: Boot) -> list[str]:
    """With the flag off, the guest sees on our Xen what it sees on Debian's."""
    a, b = (domu_guest.read(it.runs["flag off"], it.console) for it in (ours, stock))
    findings = [f"CPUID of CPU {cpu} differs: {a.cpuid.get(cpu)} and {b.cpuid[cpu]}" for cpu in b.cpuid if a.cpuid.get(cpu) != b.cpuid[cpu]]
    findings += [f"{name} differs" for name in b.report.tables if a.report.tables.get(name) != b.report.tables[name]]
    for path, text in b.report.text.items():
        if "/topology/" in path or "/cache/" in path or path.endswith(("cpulist", "distance")):
            if a.report.text.get(path) != text:
                findings.append(f"{path}: {a.report.text.get(path, '').strip()} and {text.strip()}")
    return findings


def bad_requests(result: Boot) -> list[str]:
    """Each ends in an error, and no domain is left over."""
    findings = []
    for name in bad_runs():
        text = result.runs.get(name, "")
        if result.status(name) != 1 or not re.search(r"^error: ", text, re.M):
            findings.append(f"{name}: {text[-200:]}")
    return findings + left_over(result)


def left_over(result: Boot) -> list[str]:
    found = domu_guest.lines(result.runs.get("list", ""), "domains")
    return [] if found == [[]] else [f"domains at the end: {found}"]


def bad_runs() -> dict[str, str]:
    runs = {}
    for path in sorted(GUESTS.glob("bad/*.*")):
        option = "--config" if path.suffix == ".cfg" else "--topology"
        runs[f"bad {path.stem}"] = create(f"{option} bad/{path.name}")
    runs["bad pnode"] = create("--topology 3-2.toml --pnodes 0,7")
    runs["bad pnodes short"] = create("--topology 3-2.toml --pnodes 0")
    return runs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    paths = {
        "on": "Xen with our option on", "off": "with it off", "stock": "Debian's Xen", "kernel": "unpacked linux-image package of dom0",
        "guest-kernel": "unpacked linux-image package of the guests", "busybox": "a static busybox", "polled-serial": "a static polled-serial",
        "toolstack": "static domu-toolstack", "guest-report": "static guest-report", "out": "folder for logs",
    }  # fmt: skip
    for name, text in paths.items():
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True, help=text)
    options = parser.parse_args()

    runs = {"contract": "contract --opt-in --topology 3-2.toml"}
    runs |= {name: create(f"--opt-in --topology {file} {more}") for name, (file, more) in OPTED_IN.items()}
    runs["xl"] = create("--opt-in=if-known --config 3-2.cfg")
    runs["breach"] = create("--opt-in --madt-ids legacy --topology 3-2.toml", f"{GUEST_LINE} {BREACH_LINE}")
    runs["flag off"] = create("--topology 3-2.toml")
    runs |= bad_runs() | {"list": "list"}
    older = {
        "contract": "contract --topology 3-2.toml",
        "flag off": create("--topology 3-2.toml"),
        "opt-in": create("--opt-in --topology 3-2.toml"),
    }
    known = {"opt-in if known": create("--opt-in=if-known --topology 3-2.toml")}
    dom0s = {"on": runs, "stock": older | {"list": "list"}, "off": older | known | {"list": "list"}}
    # One after the other: guests without Xen's events lose timers, and hang, where the host's cores are shared.
    ours, stock, off = (boot(getattr(options, build), options, dom0s[build], options.out / build) for build in dom0s)

    results = {name: judge_opted_in(name, ours, file) for name, (file, _) in OPTED_IN.items()}
    results["xl's 5 as 3/2 on pnodes 1, 0"] = judge_opted_in("xl", ours, "3-2.toml")
    results["opt-in without its duty"] = judge_breach(domu_guest.read(ours.runs["breach"], ours.console))
    results["flag off"] = judge_legacy("flag off", ours, "3-2.toml", "xen")
    results["flag off, as on Debian's Xen"] = same_as_stock(ours, stock)
    results["contract"] = domu_contract.opted_in(ours.runs["contract"], topology.read(GUESTS / "3-2.toml"))
    results["bad requests"] = bad_requests(ours)
    for name, xen_without in {"Debian's Xen": stock, "option off": off}.items():
        results[f"{name}: contract"] = domu_contract.older(xen_without.runs["contract"])
        results[f"{name}: legacy ids"] = judge_legacy("flag off", xen_without, "3-2.toml", "legacy")
        results[f"{name}: opt-in refused"] = domu_contract.refused(xen_without.runs.get("opt-in", ""), xen_without.status("opt-in"))
        results[f"{name}: nothing left over"] = left_over(xen_without)
    results["option off: opt-in if known"] = judge_legacy("opt-in if known", off, "3-2.toml", "legacy")
    for name, findings in results.items():
        print(f"{name:32} {'FAILED' if findings else 'ok'}")
        for finding in findings:
            print(f"    {finding}")
    few = xen.few_retries()
    return 1 if any(results.values()) or not few else 0


if __name__ == "__main__":
    sys.exit(main())
