"""A list of subscribers, as CSV: bytes → its lines, by the names of its columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from syndicate.errors import ReadError

ENCODINGS = ("utf-8", "gb18030")
LONGEST = 10_000  # characters of a cell

COLUMNS = {
    "address": ("address", "email", "e-mail", "mail", "邮箱", "电子邮箱", "邮件地址"),
    "consent": ("consent", "consent_date", "confirmed", "同意日期", "订阅日期", "确认日期"),
    "source": ("source", "来源"),
    "sections": ("sections", "section", "版块"),
    "bylines": ("bylines", "authors", "作者"),
    "series": ("series", "栏目"),
    "words": ("words", "searches", "检索词"),
    "rhythm": ("rhythm", "频率"),
    "weekly_day": ("weekly_day",),
    "hour": ("hour",),
    "zone": ("zone", "时区"),
    "language": ("language", "语言"),
}
"""What a column may be called; all others are passed over."""

FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")
"""What spreadsheets take for the beginning of a formula (owasp.org/www-community/attacks/CSV_Injection)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list."""

    number: int  # in the file, from 1; of a cell with line ends, its last
    said: Mapping[str, str]  # what stands in its columns, without blanks around


def read(file: Path, progress: Callable[[int], object] = lambda _: None) -> Iterator[Line]:
    """The lines of a list; `progress` is told of each so many bytes that were read.

    UTF-8 or GB18030, with or without a byte order mark; commas, semicolons or tabs. Raises ReadError, naming the
    file, when it cannot be read or has no columns `address` and `consent`.
    """
    try:
        encoding = _encoding(file)
        with _Told(file, progress) as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
            head = text.readline()
            if "\0" in head:
                raise ReadError(f"{file}: this is no CSV")
            divider = max(",;\t", key=head.count)
            columns = _columns(file, next(csv.reader([head], delimiter=divider), []))
            rows = csv.reader(text, delimiter=divider)
            for row in rows:
                if any(cell.strip() for cell in row):
                    yield Line(rows.line_num + 1, _said(columns, row))
    except OSError as e:
        raise ReadError(f"{file}: {e.strerror}") from e
    except (csv.Error, UnicodeError) as e:
        raise ReadError(f"{file}: {e}") from e


def _columns(file: Path, head: list[str]) -> dict[str, int]:
    found = [cell.strip().lower() for cell in head]
    columns = {
        name: found.index(known) for name, also in COLUMNS.items() for known in also[::-1] if known in found
    }
    if missing := [name for name in ("address", "consent") if name not in columns]:
        raise ReadError(f"{file}: no column {' and none '.join(missing)} in the first line")
    return columns


def _said(columns: Mapping[str, int], row: list[str]) -> dict[str, str]:
    return {name: _plain(row[at][:LONGEST]) for name, at in columns.items() if at < len(row)}


def _plain(cell: str) -> str:
    """Without the apostrophe that kept a spreadsheet from calculating."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def _encoding(file: Path) -> str:
    """That of the whole file: the first bytes of a list are ASCII in all of them."""
    with file.open("rb") as raw:
        if raw.read(3) == codecs.BOM_UTF8:
            return "utf-8-sig"
        for encoding in ENCODINGS:
            raw.seek(0)
            try:
                decoder = codecs.getincrementaldecoder(encoding)()
                while chunk := raw.read(1 << 20):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    raise ReadError(f"{file}: neither UTF-8 nor GB18030")


class _Told(io.BufferedReader):
    """A file that tells how much of it was read."""

    def __init__(self, file: Path, progress: Callable[[int], object]) -> None:
        super().__init__(io.FileIO(file), 1 << 16)
        self._progress = progress

    def read1(self, size: int = -1, /) -> bytes:
        """Read, and tell."""
        read = super().read1(size)
        self._progress(len(read))
        return read
