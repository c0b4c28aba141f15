"""Content codings (RFC 9110 §8.4.1): what a file is called in each, and its bytes.

A gzip file may be put together of parts that were packed before: each part is a run of deflate blocks (RFC 1951) that
refers to nothing before it and ends at a byte, so such runs, one after another, are one deflate stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import brotli
import zstandard
from isal import isal_zlib

ENDINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""Codings with the endings of their files, smallest first."""

WORTH = 1000
"""Bytes: what is smaller goes into one packet anyway."""

_BROTLI_QUALITY = 5  # 11 takes ninety times as long for a tenth less (measured)
_ZSTD_LEVEL = (
    3  # 9 takes three times as long for a twenty-fifth less; who takes zstd mostly takes br (measured)
)
_GZIP_LEVEL = (
    2  # ISA-L's: seven in a hundred more bytes than zlib's level 6, in a fourteenth of the time (measured)
)
_GZIP = 31  # RFC 1952 with the largest window; no name and no time in its head, so same bytes give same bytes
_RAW = -15  # deflate with the largest window, without head and checksum
# RFC 1952 §2.3: deflate, no name, no time, unknown system.
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_SHORT = 4096  # bytes; such a block (RFC 1951 §3.2.4) holds up to 65 535
_LAST = b"\x03\x00"  # RFC 1951 §3.2.3: a last block with nothing in it


def coded(body: bytes, coding: str) -> bytes:
    """The body in one of these codings."""
    if coding == "gzip":
        return isal_zlib.compress(body, _GZIP_LEVEL, wbits=_GZIP)
    if coding == "br":
        return bytes(brotli.compress(body, quality=_BROTLI_QUALITY))
    return zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(body)


class Packed(NamedTuple):
    """A part of a body as deflate blocks that can stand anywhere in a gzip file."""

    blocks: bytes
    checksum: int  # CRC-32 of the part
    size: int  # bytes of the part


def packed(part: bytes) -> Packed:
    """The part, packed; a short one as it is, because packing takes no less time for it than for a long one."""
    if len(part) < _SHORT:
        head = b"\0" + len(part).to_bytes(2, "little") + (len(part) ^ 0xFFFF).to_bytes(2, "little")
        return Packed(head + part, isal_zlib.crc32(part), len(part))
    deflate = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _RAW)
    blocks = deflate.compress(part) + deflate.flush(isal_zlib.Z_FULL_FLUSH)
    return Packed(blocks, isal_zlib.crc32(part), len(part))


def gzip_of(parts: Iterable[Packed]) -> bytes:
    """A gzip file of one member (RFC 1952) whose body is these parts, one after another."""
    blocks, checksum, size = [_HEAD], 0, 0
    for part in parts:
        blocks.append(part.blocks)
        checksum = isal_zlib.crc32_combine(checksum, part.checksum, part.size)
        size += part.size
    ending = checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join((*blocks, _LAST, ending))
