"""Pictures are made to fit, or refused with a reason."""

from __future__ import annotations

import random
from io import BytesIO

import pytest
from PIL import Image

from syndicate.errors import RenderError
from syndicate.render.pictures import fit

MEGABYTE = 1_000_000


def picture(kind: str, size: tuple[int, int] = (400, 300), mode: str = "RGB") -> bytes:
    """Noise, which packs badly."""
    made = Image.frombytes(mode, size, random.Random(7).randbytes(size[0] * size[1] * len(mode)))
    packed = BytesIO()
    made.save(packed, kind)
    return packed.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_what_fits_stays_as_it_is(kind: str) -> None:
    given = picture(kind)

    assert fit(given, MEGABYTE) == (given, f"image/{kind.lower()}")


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP", "TIFF"])
def test_other_kinds_become_jpeg(kind: str) -> None:
    made, told = fit(picture(kind), MEGABYTE)

    assert (Image.open(BytesIO(made)).format, told) == ("JPEG", "image/jpeg")
    assert Image.open(BytesIO(made)).size == (400, 300)


def test_what_is_too_large_is_made_smaller() -> None:
    given = picture("PNG", (2400, 1600))
    assert len(given) > 10 * MEGABYTE

    made, _ = fit(given, MEGABYTE - 1)

    width, height = Image.open(BytesIO(made)).size
    assert len(made) < MEGABYTE
    assert width / height == pytest.approx(1.5, abs=0.01)
    assert fit(given, MEGABYTE - 1)[0] == made


def test_what_is_clear_becomes_white() -> None:
    made, _ = fit(_clear(), MEGABYTE)

    assert Image.open(BytesIO(made)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("junk", [b"", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, picture("BMP")[:200]])
def test_what_is_no_picture_is_refused(junk: bytes) -> None:
    with pytest.raises(RenderError, match="cannot be read"):
        fit(junk, MEGABYTE)


@pytest.mark.parametrize("side", [7_000, 20_000])
def test_a_bomb_is_not_opened(side: int) -> None:
    packed = BytesIO()
    Image.new("1", (side, side)).save(packed, "PNG")
    assert len(packed.getvalue()) < MEGABYTE

    with pytest.raises(RenderError, match="is too large"):
        fit(packed.getvalue(), 1000)


def test_what_cannot_be_made_so_small_is_refused() -> None:
    with pytest.raises(RenderError, match="cannot be made smaller"):
        fit(picture("PNG"), 100)


def _clear() -> bytes:
    packed = BytesIO()
    Image.new("RGBA", (50, 50), (200, 0, 0, 0)).save(packed, "WEBP", lossless=True)
    return packed.getvalue()
