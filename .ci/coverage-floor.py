"""Prints how many of a folder's lines and functions ran, by llvm-cov's export, and holds the lines against a floor.

Usage: coverage-floor.py SUMMARY.json FOLDER=PERCENT...
"""

import json
import pathlib
import sys


def main() -> int:
    files = json.loads(pathlib.Path(sys.argv[1]).read_text())["data"][0]["files"]
    root = f"{pathlib.Path.cwd()}/"
    below = []
    print(f"{'folder':18} {'lines':>13} {'functions':>13} {'regions':>13}  floor")
    for argument in sys.argv[2:]:
        folder, floor = argument.split("=")
        within = [file for file in files if file["filename"].startswith(f"{root}{folder}/")]
        if not within:
            sys.exit(f"no file of {folder} was counted")
        cells = []
        for kind in ("lines", "functions", "regions"):
            ran, count = (sum(file["summary"][kind][key] for file in within) for key in ("covered", "count"))
            cells.append(100 * ran / count)
        print(f"{folder:18} " + " ".join(f"{cell:12.1f}%" for cell in cells) + f"  {floor} %")
        for file in sorted(within, key=lambda file: file["summary"]["lines"]["percent"])[:6]:
            print(f"    {file['summary']['lines']['percent']:5.1f} %  {file['filename'].removeprefix(root)}")
        if cells[0] < float(floor):
            below.append(folder)
    if below:
        print(f"below the floor: {', '.join(below)}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
