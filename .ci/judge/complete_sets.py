"""Complete sets of tables, judged by the firmware test suite and by ACPICA's interpreter: fwts' ACPI tests
pass but for what is explained here, and acpiexec loads the tables without a complaint and finds in each
processor device what the topology says. Sets with one defect each have to be found by them."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

import qemu
import topology
from iasl import FACS_HAS_NO_HEADER

ROOT = pathlib.Path(__file__).resolve().parents[2]
# All of fwts' ACPI tests; where there are thousands of processors only those of our tables, since the
# test of each object's methods takes minutes there.
ALL_TESTS = ["--acpitests", "--acpicompliance"]
OUR_TESTS = ["acpitables", "apicinstance", "checksum", "facs", "fadt", "madt", "rsdp", "slit", "srat", "xsdt"]
MANY = 1000
FAILED = re.compile(r"^FAILED \[\w+\] (\w+):(.*(?:\n\S.*)*)", re.MULTILINE)
SUMMARY = re.compile(r"^(\w+) +\|([ \d]+)\|([ \d]+)\|([ \d]+)\|([ \d]+)\|([ \d]+)\|([ \d]+)\|$", re.MULTILINE)


def explained(of: topology.Topology, tests: list[str]) -> set[str]:
    """The failures that stay, and why. Each of them has to come."""
    reasons = set()
    if len(of.oem["id"]) < 6:
        reasons.add("RSDPBadOEMId")  # a short OEM id is padded with NUL, which fwts does not call printable
    if tests == ALL_TESTS:
        reasons.add("MethodNotExist")  # no device of ours has resources, so there is no _CRS anywhere
    return reasons


def fwts(command: list[str], tables: pathlib.Path, tests: list[str]) -> tuple[set[str], list[str], dict[str, int]]:
    """The labels of failures, their texts, and how many checks passed in each test."""
    log = tables.with_name(tables.name + "-fwts.log")
    log.unlink(missing_ok=True)
    subprocess.run([*command, f"--table-path={tables}", "-r", log, *tests], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    text = log.read_text(errors="replace")
    failures = FAILED.findall(text)
    texts = [f"{label}:{' '.join(words.split())}" for label, words in failures]
    passed = {row[0]: int(row[1].strip() or 0) for row in SUMMARY.findall(text)}
    return {label for label, _ in failures}, texts, passed


def judge_fwts(command: list[str], tables: pathlib.Path, of: topology.Topology) -> tuple[int, list[str]]:
    """Checks that passed, and findings."""
    tests = ALL_TESTS if len(of.cpus) < MANY else OUR_TESTS
    labels, texts, passed = fwts(command, tables, tests)
    findings = [f"fwts: {text}" for text in texts if text.split(":")[0] not in explained(of, tests)]
    findings += [f"fwts no longer fails with {label}: its explanation is stale" for label in explained(of, tests) - labels]
    findings += [f"fwts passed nothing in {name}" for name in OUR_TESTS if not passed.get(name)]
    return passed["Total"] if "Total" in passed else sum(passed.values()), findings


def acpiexec(command: list[str], tables: pathlib.Path, commands: list[str]) -> str:
    """What the interpreter says with all tables loaded; it reads neither RSDP nor XSDT from files."""
    files = [f"{name}.dat" for name in ("dsdt", "facp", "facs", "apic", "srat", "slit")]
    text = "\n".join([*commands, "quit\n"])
    return subprocess.run([*command, *files], cwd=tables, input=text, capture_output=True, text=True).stdout


def complaints(said: str) -> list[str]:
    bad = [line for line in said.splitlines() if re.search(r"error|warning|exception|could not", line, re.IGNORECASE)]
    return [line for line in bad if FACS_HAS_NO_HEADER not in line]


def judge_acpiexec(command: list[str], tables: pathlib.Path, cpus: list[tuple[int, topology.Cpu]]) -> tuple[int, list[str]]:
    """Values that are right, and findings; each processor has its UID before it."""
    expected = {}
    # The interpreter takes 10 ms a value; of thousands of processors a sample, as iasl has read them all.
    step = 1 if len(cpus) < MANY else 61
    for number, (uid, cpu) in list(enumerate(cpus))[::step] + list(enumerate(cpus))[-1:]:
        device = rf"\_SB.C{number:03X}"
        expected |= {f"{device}._UID": uid, f"{device}._PXM": cpu.pxm, f"{device}._STA": 0xF if cpu.enabled else 0}
    said = acpiexec(command, tables, [f"evaluate {name}" for name in expected])
    found = dict(re.findall(r"^Evaluation of (\S+) returned .*\n +\[Integer\] = ([0-9A-F]+)$", said, re.MULTILINE))
    findings = [f"acpiexec: {line}" for line in complaints(said)]
    if "1 ACPI AML tables successfully acquired and loaded" not in said:
        findings.append(f"acpiexec did not load the DSDT: {said[-500:]}")
    wrong = {name: found.get(name) for name, value in expected.items() if int(found.get(name, "-1"), 16) != value}
    findings += [f"acpiexec: {name} is {value}, right is {expected[name]}" for name, value in wrong.items()]
    return len(expected) - len(wrong), findings


def broken(table: bytes, at: int, value: int) -> bytes:
    """One byte changed and the checksum made right again."""
    changed = bytearray(table)
    changed[at] = value
    changed[9] = 0
    changed[9] = -sum(changed) & 0xFF
    return bytes(changed)


def controls(fwts_command: list[str], acpiexec_command: list[str], good: pathlib.Path) -> list[str]:
    """Defects that the judges do not find."""
    defects = {
        "checksum of the SRAT": ("srat.dat", lambda table: table[:9] + bytes([table[9] ^ 1]) + table[10:]),
        "reserved flags of the MADT's first entry": ("apic.dat", lambda table: broken(table, 44 + 9, 0x80)),
        "UID of the MADT's second entry, which no device has": ("apic.dat", lambda table: broken(table, 60 + 12, 0xF7)),
        "diagonal of the SLIT": ("slit.dat", lambda table: broken(table, 44, 20)),
        "reserved bytes of an SRAT entry": ("srat.dat", lambda table: broken(table, 48 + 2, 1)),
    }
    missed = []
    for what, (name, defect) in defects.items():
        bad = good.with_name("defect")
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(good, bad)
        (bad / name).write_bytes(defect((good / name).read_bytes()))
        before, _, _ = fwts(fwts_command, good, OUR_TESTS)
        after, _, _ = fwts(fwts_command, bad, OUR_TESTS)
        if after <= before:
            missed.append(f"fwts does not find: {what}")
    dsdt = (good / "dsdt.dat").read_bytes()
    (bad / "dsdt.dat").write_bytes(broken(dsdt, dsdt.index(b"_PXM") - 1, 0xFF))
    if not complaints(acpiexec(acpiexec_command, bad, [])):
        missed.append("acpiexec does not find: an opcode that there is not, in the DSDT")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acpi-gen", type=pathlib.Path, required=True)
    parser.add_argument("--in-root", type=pathlib.Path, required=True, help="runs a program of an unpacked root")
    parser.add_argument("--fwts", required=True, help="root that holds fwts")
    parser.add_argument("--acpiexec", required=True, help="root that holds acpiexec")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    fwts_command = [options.in_root, options.fwts, "usr/bin/fwts", "-j", f"{options.fwts}/usr/share/fwts"]
    acpiexec_command = [options.in_root, options.acpiexec, "usr/bin/acpiexec"]
    shutil.rmtree(options.out, ignore_errors=True)

    def judge(path: pathlib.Path) -> tuple[int, int, list[str]]:
        tables = options.out / path.stem
        command = [options.acpi_gen, "emit", path, "--out", tables, "--complete"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        of = topology.read(path)
        checks, findings = judge_fwts(fwts_command, tables, of)
        values, more = judge_acpiexec(acpiexec_command, tables, list(enumerate(of.cpus)))
        return checks, values, findings + more

    good = True
    for path, result in qemu.side_by_side(judge, sorted((ROOT / "fixtures/topologies").glob("*.toml"))):
        checks, values, findings = result()
        print(f"{path.stem:20} fwts: {checks:5} checks passed; acpiexec: {values:5} values right: {'FAILED' if findings else 'ok'}")
        for finding in findings:
            print(f"    {finding}")
        good &= not findings
    missed = controls(fwts_command, acpiexec_command, options.out / "pxm-0-2-5")
    print("\n".join(missed) or "six sets with a defect are found")
    return 0 if good and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
