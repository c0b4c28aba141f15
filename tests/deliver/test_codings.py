"""Files in every coding, and gzip put together of ready pieces."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as some

from syndicate.deliver.codings import ENDINGS, coded, gzip_of, packed, unpacked

PIECES = some.lists(some.one_of(some.binary(max_size=200), some.text().map(str.encode)), max_size=12)


@given(PIECES)
def test_packed_pieces_make_the_gzip_file_of_their_sum(pieces: list[bytes]) -> None:
    body = b"".join(pieces)

    made = gzip_of(body, map(packed, pieces))

    assert gzip.decompress(made) == body
    one = zlib.decompressobj(31)
    assert one.decompress(made) == body
    assert one.eof  # of one member: clients that know no second one get all
    assert not one.unused_data


@given(some.binary(max_size=5000))
def test_a_packed_piece_is_the_same_when_unpacked(piece: bytes) -> None:
    assert unpacked(packed(piece)) == piece


@pytest.mark.parametrize("coding", ENDINGS)
def test_the_same_body_makes_the_same_bytes(coding: str) -> None:
    body = "青岚日报".encode() * 900

    made = coded(body, coding)

    assert made == coded(body, coding)
    assert len(made) < len(body) // 10
    unpack = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.decompress}[coding]
    assert unpack(made) == body
