"""A Debian kernel in other forms than Debian ships it in."""

import gzip
import lzma
import struct

# Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
SETUP_SECTS = 0x1F1
PAYLOAD = 0x248  # offset and length


def forms(bzimage: bytes) -> dict[str, bytes]:
    """The kernel as it is, packed by xz, and as an ELF file, and packed by gzip: the form to its bytes."""
    start = ((bzimage[SETUP_SECTS] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", bzimage, PAYLOAD)
    start += offset
    # Behind the stream stands the unpacked size, which gzip has in its own trailer.
    elf = lzma.decompress(bzimage[start : start + length - 4], format=lzma.FORMAT_XZ)
    packed = gzip.compress(elf, compresslevel=1)
    repacked = bytearray(bzimage[:start]) + packed
    struct.pack_into("<I", repacked, PAYLOAD + 4, len(packed))
    return {"xz": bzimage, "gzip": bytes(repacked), "ELF": elf}
