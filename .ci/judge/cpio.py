"""Archives in cpio's "newc" format, as Linux reads an initramfs: written and read."""

import pathlib


def _entry(name: str, mode: int, data: bytes, inode: int) -> bytes:
    name_bytes = name.encode() + b"\0"
    fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name_bytes), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name_bytes
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def pack(files: dict[str, tuple[int, bytes]]) -> bytes:
    """An archive of path -> (mode, content); a directory's mode has 0o040000 in it."""
    entries = [_entry(name, mode, data, inode + 1) for inode, (name, (mode, data)) in enumerate(files.items())]
    return b"".join(entries) + _entry("TRAILER!!!", 0, b"", 0)


def unpack(archive: bytes) -> dict[str, bytes]:
    """Regular files of the first archive in the bytes: path -> content."""
    files = {}
    at = 0
    while archive[at : at + 6] == b"070701":
        field = lambda n: int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16)
        mode, size, name_size = field(1), field(6), field(11)
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        data_at = at + (110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            return files
        if mode & 0o170000 == 0o100000:
            files[name] = archive[data_at : data_at + size]
        at = (data_at + size + 3) // 4 * 4
    raise ValueError(f"no cpio entry at offset {at}")


def initramfs(busybox: pathlib.Path, *programs: pathlib.Path) -> bytes:
    """A root file system of a static busybox, guest-init, and further static programs in /bin."""
    directory = (0o040755, b"")
    init = pathlib.Path(__file__).with_name("guest-init")
    return pack(
        {name: directory for name in ("bin", "dev", "proc", "sys")}
        | {"bin/busybox": (0o100755, busybox.read_bytes()), "init": (0o100755, init.read_bytes())}
        | {f"bin/{program.name}": (0o100755, program.read_bytes()) for program in programs}
    )
