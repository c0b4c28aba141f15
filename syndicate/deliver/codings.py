"""Content codings (RFC 9110 §8.4.1): what a file is called in each, and its bytes.

A feed of an issue that is just out is put together as gzip, too, of items that were packed before: each is a run of
deflate blocks (RFC 1951) that refers to nothing before it and ends at a byte, so such runs, one after another, are one
deflate stream. That is fast, and a third larger than it need be; the whole is packed anew once readers can see it.
"""

from __future__ import annotations

from collections.abc import Iterable

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
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # deflate, no name, no time, best, unknown system
_LAST = b"\x03\x00"  # an empty last block


def coded(body: bytes, coding: str) -> bytes:
    """The body in one of these codings."""
    if coding == "gzip":
        return isal_zlib.compress(body, _GZIP_LEVEL, wbits=_GZIP)
    if coding == "br":
        return bytes(brotli.compress(body, quality=_BROTLI_QUALITY))
    return zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(body)


def packed(piece: bytes) -> bytes:
    """The piece as deflate blocks that can stand anywhere."""
    deflate = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _RAW)
    return deflate.compress(piece) + deflate.flush(isal_zlib.Z_FULL_FLUSH)


def unpacked(blocks: bytes) -> bytes:
    """The piece that was packed."""
    return isal_zlib.decompressobj(_RAW).decompress(blocks)


def gzip_of(body: bytes, packed_pieces: Iterable[bytes]) -> bytes:
    """The body as a gzip file of one member (RFC 1952), of the pieces it was joined of."""
    checksum = isal_zlib.crc32(body).to_bytes(4, "little")
    return b"".join((_HEAD, *packed_pieces, _LAST, checksum, (len(body) & 0xFFFFFFFF).to_bytes(4, "little")))
