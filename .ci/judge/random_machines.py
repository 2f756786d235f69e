"""QEMU's own tables for random machine lines: acpi-gen and iasl have to read the same in them. No system is
booted: the firmware puts the tables into memory, and they are taken from there.

Usage: random_machines.py COUNT SEED OUT ACPI_GEN IASL...   (a command of one or more words, with absolute paths)
COUNT machines have an HMAT, and as many are of all kinds.
"""

import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import time

import host_tables
import machine as qemu_machine
import qemu

# The BIOS area, where an RSDP is looked for. ACPI 6.5, 5.2.5.1.
BIOS = (0xE0000, 0x20000)


def line(dice: random.Random) -> list[str]:
    """Arguments of a machine that QEMU takes."""
    nodes = dice.choice([0, 0, 1, 2, 3, 4, 6])
    cores, threads = dice.choice([1, 2, 3]), dice.choice([1, 2])
    sockets = max(nodes, 1) * dice.choice([1, 2])
    most = sockets * cores * threads
    cpus = dice.randint(1, most) if dice.random() < 0.4 else most
    kind = dice.choice(["pc", "q35"])
    many = kind == "q35" and dice.random() < 0.15
    if many:
        nodes, sockets, cores, threads, cpus, most = 0, 72, 4, 1, 1, 288
    mebibytes = 128 * max(nodes, 1)
    options = dice.choice(["", ",hpet=off", ",smm=off", ",acpi=on,pcspk-audiodev=none"][:3])
    hmat = nodes > 1 and dice.random() < 0.4
    arguments = ["-machine", kind + options + (",kernel-irqchip=split" if many else "") + (",hmat=on" if hmat else "")]
    memory = f"{mebibytes}M"
    if nodes and dice.random() < 0.4:
        memory += f",slots={dice.choice([1, 4])},maxmem={dice.choice([4, 64])}G"
    arguments += ["-m", memory, "-smp", f"{cpus},maxcpus={most},sockets={sockets},cores={cores},threads={threads}"]
    if many:
        arguments += ["-device", "intel-iommu,intremap=on,eim=on"]
    for node in range(nodes):
        arguments += ["-object", f"memory-backend-ram,id=m{node},size=128M"]
        initiator = f",initiator={node}" if hmat else ""
        arguments += ["-numa", f"node,nodeid={node},memdev=m{node}{initiator}"]
    for socket in range(sockets) if nodes else []:
        arguments += ["-numa", f"cpu,node-id={socket * nodes // sockets},socket-id={socket}"]
    if nodes > 1 and dice.random() < 0.7:
        for a in range(nodes):
            for b in range(nodes):
                if a < b or (a > b and dice.random() < 2):
                    arguments += ["-numa", f"dist,src={a},dst={b},val={dice.randint(11, 254)}"]
    if hmat:
        for a in range(nodes):
            for b in range(nodes):
                for access, data in (("hierarchy=memory,data-type=access-latency", f"latency={dice.randint(1, 60)}"),
                                     ("hierarchy=memory,data-type=access-bandwidth", f"bandwidth={dice.randint(1, 60)}G")):  # fmt: skip
                    arguments += ["-numa", f"hmat-lb,initiator={a},target={b},{access},{data}"]
    if dice.random() < 0.3:
        arguments += ["-device", dice.choice(["pvpanic", "ipmi-bmc-sim,id=bmc", "virtio-rng-pci"])]
    return arguments


HIERARCHIES = ["memory", "first-level", "second-level", "third-level"]
ACCESSES = ["access", "read", "write"]


def hmat_line(dice: random.Random) -> list[str]:
    """Arguments of a machine with an HMAT, memory-only nodes, and nodes that have nothing but a generic initiator or a
    generic port. QEMU's documentation of -numa and of acpi-generic-initiator has the rules."""
    initiators, memory_only = dice.randint(1, 4), dice.choice([0, 0, 1, 2])
    targets, cores = initiators + memory_only, dice.choice([1, 2])
    devices, ports = dice.choice([0, 1, 2, 3]), dice.choice([0, 0, 1])
    # A port is that of a CXL host bridge, which a machine describes in a CEDT.
    kind = "q35,cxl=on,cxl-fmw.0.targets.0=b0,cxl-fmw.0.size=4G" if ports else dice.choice(["pc", "q35"])
    arguments = ["-machine", f"{kind},hmat=on", "-m", f"{128 * targets}M",
                 "-smp", f"{initiators * cores},sockets={initiators},cores={cores},threads=1"]  # fmt: skip
    for node in range(targets):
        initiator = node if node < initiators else dice.randrange(initiators)
        arguments += ["-object", f"memory-backend-ram,id=m{node},size=128M"]
        arguments += ["-numa", f"node,nodeid={node},memdev=m{node},initiator={initiator}"]
    for node in range(targets, targets + devices + ports):
        arguments += ["-numa", f"node,nodeid={node}"]
    for socket in range(initiators):
        arguments += ["-numa", f"cpu,node-id={socket},socket-id={socket}"]
    # The tables that every target needs before it has a cache, and some of the others.
    tables = [("memory", "access", kind) for kind in ("latency", "bandwidth")]
    more = [(level, access, kind) for level in HIERARCHIES for access in ACCESSES for kind in ("latency", "bandwidth")]
    tables += dice.sample([table for table in more if table not in tables], dice.randint(0, 4))
    for level, access, kind in tables:
        unit, most = dice.choice([(1, 100), (10, 6000), (1000, 60)])
        for initiator in range(initiators):
            for target in range(targets):
                if (level, access) == ("memory", "access") or dice.random() < 0.8:
                    value = unit * dice.randint(1, most)
                    arguments += ["-numa", f"hmat-lb,initiator={initiator},target={target},hierarchy={level},"
                                  f"data-type={access}-{kind},{kind}={value}" + ("M" if kind == "bandwidth" else "")]  # fmt: skip
    for target in range(targets):
        for level in range(1, dice.choice([0, 0, 1, 2, 3]) + 1):
            arguments += ["-numa", f"hmat-cache,node-id={target},size={4 << 3 * level}K,level={level},"
                          f"associativity={dice.choice(['none', 'direct', 'complex'])},"
                          f"policy={dice.choice(['none', 'write-back', 'write-through'])},line={dice.choice([8, 64, 256])}"]  # fmt: skip
    for number in range(devices):
        arguments += ["-device", f"virtio-rng-pci,id=d{number}"]
        arguments += ["-object", f"acpi-generic-initiator,id=i{number},pci-dev=d{number},node={targets + number}"]
    for number in range(ports):
        arguments += ["-device", f"pxb-cxl,id=b{number},bus=pcie.0,bus_nr={0x40 + number}"]
        arguments += ["-object", f"acpi-generic-port,id=p{number},pci-bus=b{number},node={targets + devices + number}"]
    return arguments


class Monitor:
    """QEMU's machine protocol on its standard input and output."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not self.process.stdout.readline():
            raise RuntimeError(self.process.communicate()[1].strip())
        self.ask("qmp_capabilities")

    def ask(self, execute: str, **arguments: object) -> object:
        print(json.dumps({"execute": execute, "arguments": arguments}), file=self.process.stdin, flush=True)
        while answer := self.process.stdout.readline():
            parsed = json.loads(answer)
            if "return" in parsed:
                return parsed["return"]
            if "error" in parsed:
                raise RuntimeError(parsed["error"]["desc"])
        raise RuntimeError("QEMU is gone")

    def read(self, at: int, size: int, scratch: pathlib.Path) -> bytes:
        self.ask("pmemsave", val=at, size=size, filename=str(scratch))
        return scratch.read_bytes()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def rsdp(monitor: Monitor, scratch: pathlib.Path) -> bytes | None:
    area = monitor.read(*BIOS, scratch)
    for at in range(0, len(area), 16):
        if area[at : at + 8] == b"RSD PTR " and sum(area[at : at + 20]) & 0xFF == 0:
            return area[at : at + 36]
    return None


def table(monitor: Monitor, at: int, scratch: pathlib.Path) -> bytes:
    (size,) = struct.unpack("<I", monitor.read(at + 4, 4, scratch))
    return monitor.read(at, size, scratch)


def tables(monitor: Monitor, scratch: pathlib.Path) -> dict[str, bytes]:
    """Signature -> table, once the firmware has put them there."""
    end = time.monotonic() + qemu.TIME_LIMIT
    while (found := rsdp(monitor, scratch)) is None:
        if time.monotonic() > end:
            raise RuntimeError(f"no RSDP after {qemu.TIME_LIMIT} s")
        time.sleep(0.1)
    (root,) = struct.unpack("<I", found[16:20])
    addresses = [word for (word,) in struct.iter_unpack("<I", table(monitor, root, scratch)[36:])]
    by_name = {}
    for address in addresses:
        content = table(monitor, address, scratch)
        by_name[content[:4].decode()] = content
        if content[:4] == b"FACP":
            facs, dsdt = struct.unpack("<II", content[36:44])
            by_name |= {"FACS": table(monitor, facs, scratch), "DSDT": table(monitor, dsdt, scratch)}
    return by_name


def main() -> int:
    count, seed, out = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
    acpi_gen, command = pathlib.Path(sys.argv[4]).resolve(), sys.argv[5:]
    shutil.rmtree(out, ignore_errors=True)

    def judge(number: int) -> tuple[list[str], list[str], int, list[str]]:
        """The machine's arguments, its tables' signatures, how many fields are the same, and findings."""
        of = line if number < count else hmat_line
        arguments = of(random.Random(f"{seed}-{number}"))
        folder = out / str(number) / "tables"
        folder.mkdir(parents=True)
        monitor = Monitor([*qemu_machine._qemu("bookworm-backports"), *arguments, "-accel", "tcg", "-nodefaults", "-display", "none",
                           "-qmp", "stdio"])  # fmt: skip
        try:
            found = tables(monitor, out / str(number) / "scratch")
        finally:
            monitor.end()
        for name, content in found.items():
            (folder / name).write_bytes(content)
        return arguments, list(found), *host_tables.compare_folder(acpi_gen, command, folder)

    start, read, fields, kinds, bad = time.monotonic(), 0, 0, {}, 0
    for _, result in qemu.side_by_side(judge, range(2 * count)):
        arguments, names, same, findings = result()
        for name in names:
            kinds[name] = kinds.get(name, 0) + 1
        read, fields, bad = read + len(names), fields + same, bad + len(findings)
        if findings:
            print(" ".join(arguments), *findings, sep="\n    ", flush=True)
    print(f"{2 * count} machines (seed {seed}) in {time.monotonic() - start:.0f} s: {read} tables, {fields} fields as iasl reads them, {bad} not")
    print("    " + ", ".join(f"{kinds[name]} {name}" for name in sorted(kinds)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
