"""Content codings (RFC 9110 §8.4.1): what a file is called in each, and its bytes."""

from __future__ import annotations

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


def coded(body: bytes, coding: str) -> bytes:
    """The body in one of these codings."""
    if coding == "gzip":
        return isal_zlib.compress(body, _GZIP_LEVEL, wbits=_GZIP)
    if coding == "br":
        return bytes(brotli.compress(body, quality=_BROTLI_QUALITY))
    return zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(body)
