"""A Debian kernel in other forms than Debian ships it in."""

import gzip
import lzma
import struct

# Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
SETUP_SECTS = 0x1F1
PAYLOAD = 0x248  # offset and length


def _payload(bzimage: bytes) -> tuple[int, int]:
    """Where the packed ELF file is, and its length with the unpacked size behind it."""
    start = ((bzimage[SETUP_SECTS] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", bzimage, PAYLOAD)
    return start + offset, length


def elf(bzimage: bytes) -> bytes:
    """The ELF file of a kernel that is packed by xz."""
    start, length = _payload(bzimage)
    return lzma.decompress(bzimage[start : start + length - 4], format=lzma.FORMAT_XZ)


def forms(bzimage: bytes) -> dict[str, bytes]:
    """The kernel as it is, packed by xz, and as an ELF file, and packed by gzip: the form to its bytes."""
    start, _ = _payload(bzimage)
    unpacked = elf(bzimage)
    # gzip has the unpacked size in its own trailer.
    packed = gzip.compress(unpacked, compresslevel=1)
    repacked = bytearray(bzimage[:start]) + packed
    struct.pack_into("<I", repacked, PAYLOAD + 4, len(packed))
    return {"xz": bzimage, "gzip": bytes(repacked), "ELF": unpacked}
