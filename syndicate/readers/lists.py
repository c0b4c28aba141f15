"""Lists of subscribers as other programs write them: bytes → rows, each with what stands under which heading."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from syndicate.errors import ReadError

LONGEST_CELL = 1000  # characters that are told of one that cannot be read
LONGEST = 100_000_000  # bytes: some two million addresses

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "'")
"""What a cell must not begin with: a spreadsheet would reckon it (owasp.org/www-community/attacks/CSV_Injection)."""

_HEADINGS = {  # where a list has two of consent, the first here counts: Mailchimp's OPTIN_TIME is when they asked
    "address": (
        *("address", "email", "e_mail", "mail", "email_address", "e_mail_address"),
        *("邮箱", "邮件地址", "电子邮件", "电子邮箱", "地址"),
    ),
    "consent": (
        *(
            "consent",
            "consent_date",
            "consent_time",
            "confirm_time",
            "confirmed_at",
            "opt_in_time",
            "optin_time",
        ),
        *("同意日期", "同意时间", "订阅日期", "确认日期"),
    ),
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
    "paused_until": ("paused_until", "暂停至"),
    "ended": ("ended", "unsub_time", "退订日期"),
    "reason": ("reason", "原因"),
    "said": ("said", "说明"),
    "since": ("since", "日期"),
}
_COLUMNS = {
    heading: (name, rank) for name, headings in _HEADINGS.items() for rank, heading in enumerate(headings)
}
_LINE = re.compile(
    r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+"
)  # no others: what str.splitlines takes for ends may stand in a cell
LINES = 50  # over which a cell in quotes may reach
_CHINESE = {"address": " (邮箱)", "consent": " (同意日期)"}
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
    fault: str = ""  # why it cannot be read


def rows(raw: bytes, needed: Sequence[str] = ("address", "consent")) -> Iterator[Row]:
    """The rows of a list with a line of headings, English or Chinese, divided by commas, semicolons or tabs.

    A quote that is not closed spoils its own line only. Raises ReadError when it is too large, no text, or has not
    the columns that are `needed`.
    """
    if len(raw) > LONGEST:
        raise ReadError(f"it is larger than {LONGEST // 1_000_000} MB; divide it")
    lines = _LINE.findall(_text(raw))
    mark = max(",;\t，", key=lines[0].count) if lines else ","
    at, headings, _ = _next(lines, 0, mark, 0) if lines else (0, [], "")
    names = _names(headings, needed)
    while at < len(lines):
        at, cells, fault = _next(lines, at, mark, len(names))
        said = {name: _plain(cell) for name, cell in zip(names, cells, strict=False) if name}
        if fault or any(said.values()):
            yield Row(at, said, fault)


def _next(lines: Sequence[str], start: int, mark: str, columns: int) -> tuple[int, list[str], str]:
    """The cells that begin on a line, the number of the line after them, and why they cannot be read."""
    for end in range(start + 1, min(start + LINES, len(lines)) + 1):
        if end > start + 1 and _is_row(lines[end - 1], mark, columns):
            break  # the quote before it was never meant to reach so far
        cells = _cells("".join(lines[start:end]), mark)
        if cells is not None:
            return end, cells, ""
    literal = [cell.strip('"') for cell in lines[start].strip("\r\n").split(mark)]
    return (
        start + 1,
        [cell[:LONGEST_CELL] for cell in literal],
        "a quote that is not closed, or a cell too long",
    )


def _cells(text: str, mark: str) -> list[str] | None:
    """The cells of a row; None when it ends within quotes."""
    if text.count('"') % 2 and _open(text, mark):
        return None
    try:
        return next(csv.reader([text], delimiter=mark), [])
    except csv.Error:  # a cell longer than any should be
        return None


def _open(text: str, mark: str) -> bool:
    """Whether the text ends within quotes."""
    try:
        list(csv.reader([text], delimiter=mark, strict=True))
    except csv.Error as e:
        return "unexpected end" in str(e)
    return False


def _is_row(line: str, mark: str, columns: int) -> bool:
    """Whether a line could be a row by itself."""
    cells = _cells(line, mark)
    return cells is not None and len(cells) == columns > 1


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


def _names(headings: list[str], needed: Sequence[str]) -> list[str | None]:
    """What each column is; None for one that is of no use here."""
    known = [_COLUMNS.get(re.sub(r"[ _-]+", "_", heading.strip().lower())) for heading in headings]
    consent = min((rank for name, rank in filter(None, known) if name == "consent"), default=0)
    names = [
        found[0] if found and (found[0] != "consent" or found[1] == consent) else None for found in known
    ]
    for column in needed:
        if column not in names:
            raise ReadError(f"line 1: there is no column {column!r}{_CHINESE.get(column, '')}")
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise ReadError(f"line 1: there are two columns {twice!r}")
    return names


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text
