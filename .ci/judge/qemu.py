"""Boots a Debian kernel in QEMU by software emulation and reads what its init reports."""

import base64
import concurrent.futures
import dataclasses
import pathlib
import select
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

# No part of the kernel's line touches NUMA, ACPI or CPUs. lpj saves the
# calibration, which takes seconds under emulation; panic=-1 and -no-reboot end a dead guest.
KERNEL_LINE = (
    "console=ttyS0 loglevel=5 log_buf_len=4M panic=-1 nokaslr mitigations=off random.trust_cpu=on "
    "no_timer_check tsc=reliable lpj=4000000 rdinit=/init"
)
# Ends a hang, and judges nothing: over ten times the slowest boot, which took 34 s while the machine had three other jobs a core.
TIME_LIMIT = 600
# No device but those that a caller names, no window, and an end where the guest reboots.
HEADLESS = ["-accel", "tcg,thread=multi", "-nodefaults", "-display", "none", "-no-reboot"]
# A machine that writes nothing for so long hangs. No boot was silent for a minute while the machine had three other jobs
# a core.
SILENCE = 240
# Machines that run at the same time. Most of a boot happens on one CPU, so a second one uses the other core.
AT_ONCE = 2


class BootFailed(Exception):
    """The guest did not report."""


@dataclasses.dataclass
class Report:
    """What the guest's init wrote."""

    text: dict[str, str]  # by path
    tables: dict[str, bytes]  # by name in /sys/firmware/acpi/tables
    seconds: float

    @property
    def dmesg(self) -> str:
        return self.text["dmesg"]


def side_by_side(call: Callable[[U], T], items: Sequence[U]) -> Iterator[tuple[U, Callable[[], T]]]:
    """Calls `call` with each item, `AT_ONCE` at a time. Yields each item in order, with a function that returns what
    its call returned, or raises what it raised."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(call, item) for item in items]
        try:
            for item, future in zip(items, futures):
                concurrent.futures.wait([future])
                yield item, future.result
        finally:
            for future in futures:
                future.cancel()


def boot(machine: list[str], kernel: pathlib.Path, initrd: pathlib.Path, logs: pathlib.Path) -> Report:
    """A boot of a kernel by QEMU itself."""
    return boot_by([*machine, "-kernel", str(kernel), "-initrd", str(initrd), "-append", KERNEL_LINE], logs)


def boot_by(machine: list[str], logs: pathlib.Path) -> Report:
    """A boot by whatever loader the machine starts."""
    return twice(lambda: run(machine, logs), logs)


def twice(once: Callable[[], T], logs: pathlib.Path) -> T:
    """A boot, and another where the guest gave no report: emulation on a busy machine may hang. A report is never
    asked for twice."""
    try:
        return once()
    except BootFailed as failure:
        print(f"no report in {logs}, second try: {str(failure)[-1000:]}", flush=True)
        return once()


def run(machine: list[str], logs: pathlib.Path, limit: int = TIME_LIMIT, last_words: str = "") -> Report:
    """One boot; console.log, report.log and command.txt stay in the folder `logs`."""
    begun = time.monotonic()
    said = start(machine, logs, limit, last_words)
    seconds = time.monotonic() - begun
    console, report = logs / "console.log", logs / "report.log"
    raw = report.read_text(errors="replace") if report.exists() else ""
    raw, end, _ = raw.partition("@@ end\n")
    if not end:
        tail = console.read_text(errors="replace")[-3000:] if console.exists() else ""
        command = (logs / "command.txt").read_text()
        raise BootFailed(f"{command}{said}\nno whole report; the console's end:\n{tail}")
    return parse_report(raw, seconds)


def start(machine: list[str], logs: pathlib.Path, limit: int = TIME_LIMIT, last_words: str = "") -> str:
    """Runs the machine to its end, to its time limit, or until the console has these last words, if any. Its serial
    ports go to console.log and report.log. Returns what QEMU says."""
    logs.mkdir(parents=True, exist_ok=True)
    for old in ("console.log", "report.log"):
        (logs / old).unlink(missing_ok=True)
    command = [*machine, *HEADLESS, "-serial", f"file:{logs / 'console.log'}", "-serial", f"file:{logs / 'report.log'}"]
    (logs / "command.txt").write_text(shlex.join(command) + "\n")
    console, begun = logs / "console.log", time.monotonic()
    spoken, size = begun, 0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while (now := time.monotonic()) < min(begun + limit, spoken + SILENCE):
            try:
                return process.communicate(timeout=1)[1]
            except subprocess.TimeoutExpired:
                if last_words and console.exists() and last_words in console.read_text(errors="replace"):
                    process.kill()
                    return ""
            written = sum(path.stat().st_size for path in (console, logs / "report.log") if path.exists())
            if written != size:
                spoken, size = now, written
        process.kill()
    return f"no end after {now - begun:.0f} s, no output for {now - spoken:.0f} s"


def talk(machine: list[str], logs: pathlib.Path, steps: list[tuple[str, bytes]]) -> str:
    """What a machine's first serial port says, whose end nobody waits for: after each of these words the bytes are
    sent, and after the last the machine is ended."""
    return twice(lambda: _talk(machine, logs, steps), logs)


def _talk(machine: list[str], logs: pathlib.Path, steps: list[tuple[str, bytes]]) -> str:
    logs.mkdir(parents=True, exist_ok=True)
    command = [*machine, *HEADLESS, "-serial", "stdio"]
    (logs / "command.txt").write_text(shlex.join(command) + "\n")
    said, done, end = b"", 0, time.monotonic() + TIME_LIMIT
    with (logs / "qemu.log").open("wb") as errors, \
         subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0) as process:  # fmt: skip
        for word, answer in steps:
            while word.encode() not in said[done:]:
                ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
                more = process.stdout.read(65536) if ready else b""
                said += more
                (logs / "console.log").write_bytes(said)
                if not more:
                    process.kill()
                    raise BootFailed(f"{shlex.join(command)}\nnever said {word!r}; the console's end:\n{said[-3000:].decode(errors='replace')}")
            done = said.index(word.encode(), done) + len(word)
            process.stdin.write(answer)
        process.kill()
    return said.decode(errors="replace").replace("\r", "")


def parse_report(raw: str, seconds: float) -> Report:
    """Splits the report at its "@@" lines."""
    found = Report({}, {}, seconds)
    for part in raw.split("@@ ")[1:]:
        head, _, content = part.partition("\n")
        kind, _, path = head.partition(" ")
        if kind == "base64":
            found.tables[path.rsplit("/", 1)[1]] = base64.b64decode(content, validate=False)
        elif kind == "text":
            found.text[path] = content
    return found
