#!/usr/bin/env python3
"""Checks that an object may be linked into Xen, and prints its size and largest stack frame.

usage: check-xen-object.py --kind boot|run [--return-thunk] [--most-text BYTES] [--most-frame BYTES] OBJECT...

Xen's own link does not see all of this: xen.efi accepts a reference through the global offset table and then calls
into the middle of the function that it names.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ALLOWED_UNDEFINED = {"memcpy", "memmove", "memset", "memcmp"}
# What code that may lie anywhere and jumps directly needs. Shorter ones hold no address of Xen's.
RELOCATIONS = {"R_X86_64_PC32", "R_X86_64_PLT32", "R_X86_64_64"}
# %st is a register only where nothing follows its name.
FLOAT_REGISTER = re.compile(r"%(?:[xyzt]?mm|k)\d|%st\b")
# Without such a register: all of the x87's begin with f, and no integer instruction does; the control word of SSE; what
# saves, restores or clears the state.
FLOAT_INSTRUCTION = re.compile(r"f\w+|emms|v?(?:ld|st)mxcsr|x(?:save|rstor)\w*|x[gs]etbv|vzero\w+")
PREFIXES = re.compile(r"^(?:(?:lock|rep\w*|data16|addr32|[c-gs]s|bnd|notrack|rex\S*)\s+)+")
INDIRECT = re.compile(r"\b(?:call|jmp)q?\s+\*")
STACK_POINTER = re.compile(r"%(?:[re]?sp|spl)$")
MOVED = re.compile(r"(add|sub)q?\s+\$(0x[0-9a-f]+),%rsp$|leaq?\s+(-?0x[0-9a-f]+)\(%rsp\),%rsp$")
CORE_FMT = re.compile(r"4core3fmt|core::fmt|_RNv.*4core.*3fmt")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def relocations(path):
    """(section, type, symbol) of each relocation."""
    section = None
    for line in run("objdump", "-rw", path).splitlines():
        if match := re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line):
            section = match[1]
        elif match := re.match(r"[0-9a-f]+ (R_\S+) +(\S+)", line):
            yield section, match[1], re.sub(r"[-+]0x[0-9a-f]+$", "", match[2])


def symbols(path):
    """(name, binding, section index, size, type) of each symbol."""
    for line in run("readelf", "-sW", path).splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[0].rstrip(":").isdigit():
            yield fields[7], fields[4], fields[6], int(fields[2], 0), fields[3]


def sections(path):
    """(index, name, type, size, flags) of each section."""
    pattern = r"\s*\[\s*(\d+)\] (\S+)\s+(\S+)\s+[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+\s+([A-Za-z]*)\s"
    for line in run("readelf", "-SW", path).splitlines():
        if match := re.match(pattern, line):
            yield match[1], match[2], match[3], int(match[4], 16), match[5]


def disassembly(path, *options):
    """(function, instruction) of each instruction."""
    function = "?"
    for line in run("objdump", "-dw", "--no-show-raw-insn", "--no-addresses", *options, path).splitlines():
        if match := re.match(r"<(.*)>:$", line):
            function = match[1]
        elif line.startswith("\t"):
            yield function, line.strip()


def reserved(instruction):
    """Bytes of stack that an instruction takes; None where it sets the stack pointer to what cannot be counted."""
    # What stands behind a # is the address that an operand has.
    instruction = PREFIXES.sub("", instruction).partition("#")[0].rstrip()
    mnemonic, _, operands = instruction.partition(" ")
    if mnemonic.startswith("push"):
        return 8
    if match := MOVED.match(instruction):
        amount = int(match[2] or match[3], 16)
        # An immediate is shown as the 64 bits that it is extended to.
        amount -= (amount >= 1 << 63) << 64
        return max(amount if match[1] == "sub" else -amount, 0)
    exchanged = re.match(r"xchg|xadd|cmpxchg", mnemonic) and re.search(r"(?:^\s*|,)%(?:[re]?sp|spl)\b", operands)
    written = STACK_POINTER.search(operands) and not re.match(r"cmp|test|call|jmp", mnemonic)
    return None if mnemonic in ("leave", "enter") or exchanged or written else 0


def returns(path):
    """What a Xen with return thunks refuses: it wants one return, in the second half of a cache line of 64 bytes."""
    count, aligned = 0, {}
    for line in run("readelf", "-SW", path).splitlines():
        if match := re.match(r"\s*\[\s*\d+\] (\S+)\s+PROGBITS\s.*\s(\d+)$", line):
            aligned[match[1]] = int(match[2]) % 64 == 0
    section = function = "?"
    for line in run("objdump", "-dw", "--no-show-raw-insn", path).splitlines():
        if match := re.match(r"Disassembly of section (.*):$", line):
            section = match[1]
        elif match := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = match[1]
        elif match := re.match(r"\s*([0-9a-f]+):\s+(?:\S+ )?l?retq?\b", line):
            count += 1
            if not function.endswith("return_thunk"):
                yield f"{function}: a return that is not the thunk's"
            elif not aligned[section] or int(match[1], 16) % 64 < 32:
                yield f"{function}: in the first half of a cache line"
    if count != 1:
        yield f"{count} returns, where the thunk's alone is right"


def faults(path, kind_of_sections, return_thunk):
    found = list(returns(path)) if return_thunk else []
    places = {index: name for index, name, *_ in sections(path)}
    home = {name: places.get(index, index) for name, _, index, *_ in symbols(path)}
    for section, kind, symbol in relocations(path):
        if "GOT" in kind:
            found.append(f"{section}: {kind} {symbol}: a reference through the global offset table")
        elif kind not in RELOCATIONS:
            found.append(f"{section}: {kind} {symbol}: Xen is linked above 4 GiB")
        target = home.get(symbol, symbol)
        if target.startswith(".init") and not section.startswith(".init"):
            found.append(f"{section}: {kind} {symbol}: {target} is freed after boot")
        if symbol.startswith("__x86_indirect_thunk"):
            found.append(f"{section}: {symbol}: an indirect branch")
    for function, instruction in disassembly(path):
        if INDIRECT.search(instruction):
            found.append(f"{function}: {instruction}: an indirect branch")
        if FLOAT_REGISTER.search(instruction) or FLOAT_INSTRUCTION.match(PREFIXES.sub("", instruction)):
            found.append(f"{function}: {instruction}: SSE, MMX or x87")
        if reserved(instruction) is None:
            found.append(f"{function}: {instruction}: a frame that cannot be counted")
    for name, binding, index, *_ in symbols(path):
        if index == "UND" and name not in ALLOWED_UNDEFINED:
            found.append(f"{name}: undefined")
        if CORE_FMT.search(name):
            found.append(f"{name}: formatting code")
        if binding != "LOCAL" and index != "UND" and not name.startswith("hvg_"):
            found.append(f"{name}: {binding.lower()}, but not hvg_*")
    allocated = [name for _, name, _, size, flags in sections(path) if "A" in flags and size]
    for name in allocated:
        if name.startswith(".init") != (kind_of_sections == "boot"):
            found.append(f"{name}: not a section of an object of the kind {kind_of_sections}")
    if not allocated:
        found.append("nothing in it")
    return found


def frames(path):
    """The stack of each function's own frame: what it pushes and what it reserves."""
    sizes = {}
    for function, instruction in disassembly(path):
        sizes[function] = sizes.get(function, 8) + (reserved(instruction) or 0)
    return sizes


def depths(path):
    """The deepest stack of each function with all that it calls: exact, as no call is indirect."""
    own, calls = frames(path), {}
    places = {index: name for index, name, *_ in sections(path)}
    # A reference to a local function names its section and the offset, less the 4 bytes of the operand.
    starts = {
        (places.get(fields[6], ""), int(fields[1], 16)): fields[7]
        for fields in map(str.split, run("readelf", "-sW", path).splitlines())
        if len(fields) >= 8 and fields[3] == "FUNC"
    }
    for function, instruction in disassembly(path, "-r"):
        if match := re.search(r"R_X86_64_PLT32\s+([^\s+-]+)(?:([+-]0x[0-9a-f]+))?", instruction):
            offset = int(match[2] or "0", 16) + 4
            calls.setdefault(function, set()).add(starts.get((match[1], offset), match[1]))
    known = {}

    def depth(function, above):
        if function in above and function in own:
            raise SystemExit(f"{path}: {function} calls itself, so its stack has no bound")
        if function not in known:
            called = (depth(name, above | {function}) for name in calls.get(function, set()))
            known[function] = own.get(function, 8) + max(called, default=0)
        return known[function]

    return {function: depth(function, frozenset()) for function in own}


def main():
    parser = argparse.ArgumentParser(description="checks objects for Xen")
    parser.add_argument("--kind", choices=("boot", "run"), required=True, help="freed after boot (.init.*), or kept")
    parser.add_argument("--return-thunk", action="store_true", help="for a Xen with CONFIG_RETURN_THUNK")
    parser.add_argument("--most-text", type=int, default=1 << 20, metavar="BYTES", help="the size not to be passed")
    parser.add_argument("--most-frame", type=int, default=1 << 12, metavar="BYTES", help="the stack frame not to be passed")
    parser.add_argument("objects", nargs="+")
    arguments = parser.parse_args()
    failed = False
    for path in arguments.objects:
        for fault in faults(path, arguments.kind, arguments.return_thunk):
            print(f"{path}: {fault}", file=sys.stderr)
            failed = True
        text = sum(size for _, name, _, size, flags in sections(path) if "X" in flags)
        data = sum(size for _, name, _, size, flags in sections(path) if "A" in flags and "X" not in flags)
        function, frame = max(frames(path).items(), key=lambda item: item[1], default=("none", 0))
        for what, size, most in (("text", text, arguments.most_text), ("frame", frame, arguments.most_frame)):
            if size > most:
                print(f"{path}: {what} of {size} bytes where {most} are allowed", file=sys.stderr)
                failed = True
        deepest = max(depths(path).values(), default=0)
        name = pathlib.Path(path).name
        print(f"{name}: text {text}, data {data}, largest frame {frame} bytes in {function}, deepest stack {deepest} bytes")
    sys.exit(failed)


if __name__ == "__main__":
    main()
