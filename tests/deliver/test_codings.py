import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from syndicate.deliver.codings import coded, gzip_of, packed


@given(st.lists(st.binary(max_size=2000)))
def test_packed_parts_one_after_another_are_one_gzip_file(parts: list[bytes]) -> None:
    file = gzip_of(map(packed, parts))
    assert gzip.decompress(file) == b"".join(parts)
    reading = zlib.decompressobj(wbits=31)  # as a reader that stops at the end of the first member
    assert reading.decompress(file) + reading.flush() == b"".join(parts)
    assert reading.eof
    assert not reading.unused_data


def test_long_parts_are_packed_and_read_back() -> None:
    parts = ["第一版，要闻。".encode() * 30_000, bytes(range(256)) * 3000]
    assert gzip.decompress(gzip_of(map(packed, parts))) == b"".join(parts)


def test_the_same_parts_give_the_same_bytes() -> None:
    parts = [b"<feed>", "一条消息".encode() * 500, b"</feed>"]
    assert gzip_of(map(packed, parts)) == gzip_of(map(packed, parts))


def test_a_file_names_no_time_and_no_system() -> None:
    assert gzip_of([packed(b"x")])[:10] == coded(b"x", "gzip")[:8] + gzip_of([])[8:10]
    assert coded(b"x", "gzip")[4:8] == bytes(4)
