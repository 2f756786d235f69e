"""A boot's serial console, and what the guest says of its nodes, as a picture."""

import html
import re

from qemu import Report

FONT, LINE, MARGIN = 13, 18, 14
WIDTH_OF_A_CHARACTER = 7.83


def lines(console: str, report: Report, says: str) -> list[str]:
    """The loader's lines, the kernel's on its nodes, and the nodes as `numactl -H` lists them."""
    shown = [line for line in console.replace("\r", "").splitlines() if line.startswith(f"{says}: ") and " map " not in line]
    kernel = [line for line in report.dmesg.splitlines() if re.search(r"ACPI: RSDP|ACPI: SRAT: Node|smp: Brought up", line)]
    nodes = sorted({int(number) for path in report.text for number in re.findall(r"/node(\d+)/", path)})
    text = lambda node, name: report.text[f"/sys/devices/system/node/node{node}/{name}"].strip()
    listed = [f"available: {len(nodes)} nodes"]
    for node in nodes:
        size = int(re.search(r"MemTotal: +(\d+) kB", text(node, "meminfo")).group(1)) // 1024
        listed += [f"node {node} cpus: {text(node, 'cpulist')}", f"node {node} size: {size} MB"]
    listed += ["node distances:", "node  " + "".join(f"{node:4}" for node in nodes)]
    listed += [f"{node:4}: " + "".join(f"{value:>4}" for value in text(node, "distance").split()) for node in nodes]
    return [*shown, "", *kernel, "", *listed]


def svg(text: list[str]) -> str:
    width = round(max(map(len, text)) * WIDTH_OF_A_CHARACTER) + 2 * MARGIN
    height = len(text) * LINE + 2 * MARGIN
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + FONT + LINE * number}" xml:space="preserve">{html.escape(line)}</text>'
        for number, line in enumerate(text)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="monospace" font-size="{FONT}" fill="#d8d8d8">\n'
        f'<rect width="100%" height="100%" rx="6" fill="#1c1c1c"/>\n{rows}\n</svg>\n'
    )
