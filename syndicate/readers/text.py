"""Text files → Document: whatever their encoding, character for character as they were decoded."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

import chardet

from syndicate.errors import ReadError
from syndicate.model import Document, Source

LIMIT = 20 * 1024 * 1024

_MAGIC = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "an RTF document"),
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# What chardet finds is the subset that the bytes happen to use; the larger set reads the rest as well.
_LARGER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "big5hkscs",
    "euc-tw": "big5hkscs",
    "ascii": "utf-8",
}
_SAMPLE = 200_000


def read(files: Sequence[tuple[str, bytes]], limit: int = LIMIT) -> Document:
    """The files of one issue, decoded, in the order given."""
    if not files:
        raise ReadError("no files were given")
    return Document(tuple(_source(name, content, limit) for name, content in files))


def _source(name: str, content: bytes, limit: int) -> Source:
    if not content:
        raise ReadError(f"{name}: the file is empty")
    if len(content) > limit:
        raise ReadError(f"{name}: larger than {limit / 1e6:g} MB, which is the most that one file may have")
    for magic, what in _MAGIC:
        if content.startswith(magic):
            raise ReadError(f"{name}: this is {what}, not text")
    text = _decoded(name, content)
    unprintable = sum(text.count(c) for c in "\x00\ufffd")
    if unprintable > 8 and unprintable > len(text) / 20:
        raise ReadError(f"{name}: this is a binary file, not text")
    if not any(char.isalnum() for char in text):
        raise ReadError(f"{name}: there is no text in the file")
    return Source(name, text, page_of(name))


def _decoded(name: str, content: bytes) -> str:
    """By byte order mark, else as strict UTF-8, else as a library tells."""
    encoding = next((encoding for bom, encoding in _BOMS if content.startswith(bom)), None)
    if encoding:
        return content.decode(encoding, "replace")
    if encoding := _wide(content):
        return content.decode(encoding, "replace")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(content) - 4 and len(content) > 64:  # the file was cut inside a character
            return content.decode("utf-8", "replace")
    else:
        if not _seven_bit_chinese(content):
            return text
    return _guessed(name, content)


def _guessed(name: str, content: bytes) -> str:
    """As chardet tells, or whichever Chinese encoding reads the bytes without an error."""
    found = (chardet.detect(content[:_SAMPLE])["encoding"] or "").lower()
    for candidate in dict.fromkeys((_LARGER.get(found, found), "gb18030", "big5hkscs")):
        with suppress(UnicodeDecodeError, LookupError):
            return content.decode(candidate)
    if found:
        text = content.decode(_LARGER.get(found, found), "replace")
        if text.count("\ufffd") <= len(text) / 50:
            return text
    if b"\x00" in content:
        raise ReadError(f"{name}: this is a binary file, not text")
    raise ReadError(
        f"{name}: its encoding is none we know (tried UTF-8, UTF-16, GB18030, Big5 and what chardet says)"
    )


def _wide(content: bytes) -> str | None:
    """UTF-16 without a byte order mark: line feeds and blanks with a zero on one side."""
    sample = content[:4000]
    if len(sample) < 4 or b"\x00" not in sample:
        return None
    for encoding, newline, blank in (("utf-16-le", b"\n\x00", b" \x00"), ("utf-16-be", b"\x00\n", b"\x00 ")):
        marks = sum(sample[i : i + 2] in (newline, blank) for i in range(0, len(sample) - 1, 2))
        if marks >= max(1, len(sample) // 400):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            if text.count("\x00") == 0:
                return encoding
    return None


def _seven_bit_chinese(content: bytes) -> bool:
    """HZ and ISO-2022 write other scripts in ASCII, with escapes."""
    return b"\x1b$" in content or (b"~{" in content and b"~}" in content)


# ── the page a file name tells ───────────────────────────────────────────────────────────

_NUMERALS = "零一二三四五六七八九"
_PAGE_NAMES = (
    re.compile(r"第\s*(?P<n>\d{1,3}|[〇零一二三四五六七八九十]{1,3})\s*版"),
    re.compile(r"(?<![A-Za-z])(?:p|P|page|Page|PAGE)[-_ ]?0*(?P<n>\d{1,3})(?!\d)"),
    re.compile(r"(?<![A-Za-z0-9])[A-D](?P<n>\d{2})(?!\d)"),
    re.compile(r"[-_ ]0?(?P<n>\d{1,2})$"),
    re.compile(r"^0?(?P<n>\d{1,2})$"),
    re.compile(r"(?P<n>\d{1,2})\s*版"),
)
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.年 ]?([01]?\d)[-_.月 ]?([0-3]?\d)(?!\d)")
_DAY_END = re.compile(r"(?:19|20)\d\d[-_. ]?\d{1,2}[-_. ]\d{1,2}$|(?:19|20)\d{6}$")


def page_of(name: str) -> int | None:
    """The page a file's name tells: …-p1.txt, p2.txt, …_03.txt, 第04版.txt."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", re.split(r"[/\\]", name)[-1])
    for form in _PAGE_NAMES:
        found = form.search(stem)
        if found and not (found.end() == len(stem) and _DAY_END.search(stem)):
            number = _number(found["n"])
            if number:
                return number
    return None


def date_in_name(name: str) -> date | None:
    """The day a file's name tells: paper-2026-11-18-p1.txt, 20261118.txt."""
    for found in _DAY.finditer(name):
        with suppress(ValueError):
            return date(*map(int, found.groups()))
    return None


def _number(printed: str) -> int:
    if printed.isdigit():
        return int(printed)
    tens, _, ones = printed.replace("〇", "零").rpartition("十")
    if "十" not in printed:
        return _NUMERALS.find(ones[-1])
    return (_NUMERALS.find(tens) if tens else 1) * 10 + (_NUMERALS.find(ones) if ones else 0)
