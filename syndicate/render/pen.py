"""Letters and lines on a picture. The only module that draws with Pillow.

Drawn with fonts whose paths the caller gives, without the clock, without chance: the same strokes give the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from syndicate.errors import RenderError
from syndicate.render import articles
from syndicate.render.budget import cut
from syndicate.render.lines import balance, wrap

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont

FACES = 24  # kept open: one of Noto's takes 2 MB, a card goes through some fifteen
_LONGEST = 120  # characters of a text that are looked at: no picture has room for more in one place


class Pen:
    """A picture being drawn, and the two faces it is written with."""

    def __init__(self, size: tuple[int, int], ground: Colour, fonts: Sequence[Path]) -> None:
        self._picture = Image.new("RGB", size, ground)
        self._draw = ImageDraw.Draw(self._picture)
        self._fonts = fonts

    def font(self, size: int, *, bold: bool = False) -> Font:
        """The face of that weight in that size. Raises RenderError when no font can be opened."""
        return _font(*_faces(self._fonts)[bold], size)

    def write(
        self, x: float, y: float, said: str, font: Font, colour: Colour, *, flush: bool = False
    ) -> None:
        """One line on the baseline y; `flush` puts its ink at x, where an opening mark would leave a gap."""
        said = drawable(said, font)
        if flush and said and (ink := font.getmask(said[0]).getbbox()):
            x -= ink[0]
        self._draw.text((round(x), round(y)), said, colour, font, anchor="ls")

    def centred(self, y: float, said: str, font: Font, colour: Colour) -> None:
        """One line on the baseline y, in the middle of the picture."""
        self.write((self._picture.width - font.getlength(said)) / 2, y, said, font, colour)

    def column(self, x: float, y: float, lines: Sequence[str], font: Font, colour: Colour) -> None:
        """Lines of a headline below y."""
        for n, line in enumerate(lines):
            self.write(x, y + font.size + n * leading(font), line, font, colour, flush=True)

    def spaced(self, x: float, y: float, said: str, font: Font, space: float, colour: Colour) -> None:
        """One line with its letters apart."""
        for char in said:
            self.write(x, y, char, font, colour)
            x += font.getlength(char) + space * font.size

    def spread(self, said: str, font: Font, space: float) -> float:
        """How wide such a line is."""
        return font.getlength(said) + space * font.size * (len(said) - 1)

    def rule(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A line, as a box."""
        self._draw.rectangle((x, y, x + width - 1, y + height - 1), colour)

    def watermark(self, name: str, colour: Colour) -> None:
        """The first character of the paper's name, larger than the picture, at its right edge."""
        width, height = self._picture.size
        font = self.font(round(height * 1.15), bold=True)
        self._draw.text((width - round(height * 0.02), height * 0.46), name[:1], colour, font, anchor="rm")

    def largest(
        self, said: str, most: int, least: int, space: tuple[float, float], prose: str = "", rows: int = 3
    ) -> tuple[Font, tuple[str, ...]]:
        """The text in at most so many rows, as large as fits; cut, with an ellipsis, where the smallest does not.

        One line two thirds as large is better than two: it parts no words.
        """
        for count, smallest in ((1, most * 2 // 3), (2, most * 3 // 5), (3, most // 2), (rows, least)):
            for size in range(most, max(least, smallest) - 1, -2):
                font = self.font(size, bold=True)
                if lines := _set(drawable(said, font), font, space, count, prose):
                    return font, lines
        font = self.font(least, bold=True)
        shown = drawable(said, font)
        shorter = (cut(shown, limit) for limit in range(len(shown) - 1, 0, -1))
        return font, next(
            (lines for short in shorter if (lines := _set(short, font, space, rows, prose))), ()
        )

    def png(self) -> bytes:
        """The picture as it now is."""
        packed = BytesIO()
        # 48 shades are enough for letters on two grounds, and a third of the bytes.
        self._picture.quantize(48, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            packed, "PNG", optimize=True
        )
        return packed.getvalue()


def _set(said: str, font: Font, space: tuple[float, float], most: int, prose: str) -> tuple[str, ...]:
    """The text in that many lines or fewer if it fits, else nothing."""
    width, height = space
    count = len(wrap(said, width, font.getlength))
    if count > most or count * leading(font) > height:
        return ()
    return balance(said, width, font.getlength, prose)


def fitted(said: str, font: Font, room: float) -> str:
    """One line, cut where it is too long."""
    shown = drawable(said, font)
    if font.getlength(shown) <= room:
        return shown
    return next(
        (
            short
            for limit in range(len(shown) - 1, 0, -1)
            if font.getlength(short := cut(shown, limit)) <= room
        ),
        "",
    )


def leading(font: Font) -> int:
    """From one line of a headline to the next."""
    return round(font.size * 1.3)


def drawable(said: str, font: Font) -> str:
    """On one line, no longer than a picture can show, without what the font cannot draw.

    A Han character that it lacks (in a name, most often) is not passed over: 〓 stands there, as in print.
    """
    said = cut(unicodedata.normalize("NFC", articles.line(said[: 8 * _LONGEST])), _LONGEST)
    return articles.line("".join(char if char.isspace() else _shown(char, *_face_of(font)) for char in said))


def _shown(char: str, path: str, index: int) -> str:
    if _drawn(char, path, index):
        return char
    # Not by its name: characters younger than Python's table have none.
    han = "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or "\U00020000" <= char <= "\U0003ffff"
    return "〓" if han and _drawn("〓", path, index) else ""


_Face = tuple[str, int]  # a font file, and which font of it


def _faces(fonts: Sequence[Path]) -> tuple[_Face, _Face]:
    """The first and the last of the files: regular and bold, or twice the same."""
    if not fonts:
        raise RenderError("no picture: no font for Chinese is installed")
    return _face(str(fonts[0])), _face(str(fonts[-1]))


@lru_cache
def _face(path: str) -> _Face:
    """The font in that file that is drawn for simplified characters, or else its first."""
    names: list[str] = []
    try:
        while len(names) < 16:  # Noto's collections hold ten
            names.append(str(_font(path, len(names), 10).getname()[0]))
    except RenderError:
        if not names:
            raise
    return path, next((n for n, name in enumerate(names) if name.endswith((" SC", " CN"))), 0)


@lru_cache(maxsize=FACES)
def _font(path: str, index: int, size: int) -> Font:
    try:
        # The basic layout is the same on every machine; the other needs a library that not all have.
        return ImageFont.truetype(path, size, index, layout_engine=ImageFont.Layout.BASIC)
    except OSError as e:
        raise RenderError(f"{path}: no picture: {e}") from e


def _face_of(font: Font) -> _Face:
    return str(font.path), font.index


@lru_cache(maxsize=20_000)
def _drawn(char: str, path: str, index: int) -> bool:
    """Whether the font has that character: one it has not looks like one that does not exist.

    Marks that belong on another character, and what only joins or directs others, are not drawn at all.
    """
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return False
    font = _font(path, index, 16)
    return bytes(font.getmask(char)) != bytes(font.getmask("\U0010ffff"))


def colour(hexadecimal: str) -> Colour:
    """The colour as CSS writes it: #a8211a."""
    red, green, blue = bytes.fromhex(hexadecimal[1:])
    return red, green, blue


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """So much of the other colour over the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
