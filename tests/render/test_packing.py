"""gzip put together of ready pieces."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as some

from syndicate.render.packing import gzipped, packed, unpacked

PIECES = some.lists(some.one_of(some.binary(max_size=200), some.text().map(str.encode)), max_size=12)


@given(PIECES)
def test_packed_pieces_make_the_gzip_file_of_their_sum(pieces: list[bytes]) -> None:
    assert gzip.decompress(b"".join(gzipped(pieces, map(packed, pieces)))) == b"".join(pieces)


@given(some.binary(max_size=5000))
def test_a_packed_piece_is_the_same_when_unpacked(piece: bytes) -> None:
    assert unpacked(packed(piece)) == piece


def test_the_same_pieces_make_the_same_bytes() -> None:
    made = [b"".join(gzipped([b"x" * 900], [packed(b"x" * 900)])) for _ in range(2)]

    assert made[0] == made[1]
    assert len(made[0]) < 60
