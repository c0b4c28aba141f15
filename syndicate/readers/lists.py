"""Lists of subscribers as other programs write them: bytes → rows, each with what stands under which heading."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from syndicate.errors import ReadError

LONGEST = 100_000_000  # bytes: some two million addresses

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "'")
"""What a cell must not begin with: a spreadsheet would reckon it (owasp.org/www-community/attacks/CSV_Injection)."""

_HEADINGS = {
    "address": ("address", "email", "e-mail", "mail", "邮箱", "邮件地址", "电子邮件", "电子邮箱", "地址"),
    "consent": ("consent", "consent_date", "confirmed_at", "同意日期", "同意时间", "订阅日期", "确认日期"),
    "source": ("source", "来源"),
    "state": ("state", "status", "状态"),
    "sections": ("sections", "section", "栏目", "版块"),
    "bylines": ("bylines", "byline", "记者", "作者"),
    "series": ("series", "专栏"),
    "words": ("words", "检索词", "关键词"),
    "rhythm": ("rhythm", "frequency", "频率", "多久一封"),
    "weekly_day": ("weekly_day", "星期"),
    "hour": ("hour", "时刻", "几点"),
    "zone": ("zone", "time_zone", "timezone", "时区"),
    "language": ("language", "语言"),
}
_COLUMNS = {heading: name for name, headings in _HEADINGS.items() for heading in headings}
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list: where it stands, and what it says under the headings that are known."""

    line: int
    said: Mapping[str, str]


def rows(raw: bytes) -> Iterator[Row]:
    """The rows of a list with a line of headings, English or Chinese, divided by commas, semicolons or tabs.

    Raises ReadError when it is too large, no text, or names no address or no consent.
    """
    if len(raw) > LONGEST:
        raise ReadError(f"it is larger than {LONGEST // 1_000_000} MB; divide it")
    lines = _text(raw).splitlines(keepends=True)
    first = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=max(",;\t，", key=first.count))
    try:
        names = _names(next(reader, []))
        for cells in reader:
            said = {name: _plain(cell) for name, cell in zip(names, cells, strict=False) if name}
            if any(said.values()):
                yield Row(reader.line_num, said)
    except csv.Error as e:
        raise ReadError(f"line {reader.line_num}: {e}") from e


def safe(cell: str) -> str:
    """The cell, for a file that may be opened in a spreadsheet; `rows` reads it back."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _text(raw: bytes) -> str:
    coding = next((coding for mark, coding in _MARKS if raw.startswith(mark)), None)
    for tried in (coding,) if coding else ("utf-8", "gb18030"):
        try:
            return raw.decode(tried)
        except UnicodeDecodeError:
            continue
    raise ReadError("it is neither UTF-8 nor GB18030")


def _names(headings: list[str]) -> list[str | None]:
    """What each column is; None for one that is of no use here."""
    names = [_COLUMNS.get(heading.strip().lower()) for heading in headings]
    for needed, so in (("address", "邮箱"), ("consent", "同意日期")):
        if needed not in names:
            raise ReadError(f"line 1: there is no column {needed!r} ({so})")
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise ReadError(f"line 1: there are two columns {twice!r}")
    return names


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text
