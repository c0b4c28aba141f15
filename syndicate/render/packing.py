"""gzip made of pieces that were compressed before: what did not change is never compressed again.

Each piece is a run of deflate blocks (RFC 1951) that refers to nothing before it and ends at a byte; such runs, one
after another, are one deflate stream, and with head and checksum a gzip file of one member (RFC 1952).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

LEVEL = 9  # once a change, so the best there is

_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # deflate, no name, no time, best, unknown system
_LAST = b"\x03\x00"  # an empty last block
_RAW = -15  # the largest window, without zlib's own head


def packed(piece: bytes) -> bytes:
    """The piece as deflate blocks that can stand anywhere."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
    return deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH)


def unpacked(blocks: bytes) -> bytes:
    """The piece that was packed."""
    return zlib.decompressobj(_RAW).decompress(blocks)


def gzipped(pieces: Iterable[bytes], packed_pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A gzip file of these pieces, given as they are and packed, in the same order."""
    checksum, size = 0, 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
        size += len(piece)
    yield _HEAD
    yield from packed_pieces
    yield _LAST + checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
