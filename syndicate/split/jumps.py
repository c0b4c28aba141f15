"""Articles that go on elsewhere: 下转第二版 … 上接第一版, in any bracket that OCR leaves."""

import re
from dataclasses import dataclass

from syndicate.split import text
from syndicate.split.masthead import number_of

_PAGE = r"(?P<page>[A-Da-d]?\d{1,3}|[〇零一二三四五六七八九十]{1,3})"
_MARK = r"[①-⑳\d]?"
_HINT = re.compile(
    r"[转轉接]|p\s*a\s*g\s*e", re.I
)  # without one of these there is no mark: most texts, at once
_TO = re.compile(
    rf"[(<]?(?:下转|转|紧接|下接)第?{_PAGE}版{_MARK}[)>]?|[(<]下转{_PAGE.replace('page', 'bare')}[)>]"
)
_FROM = re.compile(
    rf"^[(<]?(?:上接|紧接|接)第?{_PAGE}版{_MARK}[)>]?|^[(<]上接{_PAGE.replace('page', 'bare')}[)>]"
)
_TO_ENGLISH = re.compile(r"\(?(?:continuedon|see|turnto),?page(?P<page>[a-d]?\d{1,3})\)?\.?$", re.I)
_FROM_ENGLISH = re.compile(r"^\(?continuedfrompage(?P<page>[a-d]?\d{1,3})\)?\.?", re.I)


@dataclass(frozen=True)
class Mark:
    """A jump mark: offsets into the raw text, and the page it names."""

    start: int
    end: int
    page: int


def to_mark(raw: str) -> Mark | None:
    """The mark at the end of a text that goes on elsewhere."""
    if not _HINT.search(raw[-80:]):
        return None
    squeezed, offsets = _flat(raw[-80:])
    base = max(0, len(raw) - 80)
    found = next(reversed(list(_TO.finditer(squeezed))), None)
    if found is None or found.end() < len(squeezed) - 2 or not _bracketed(found.group(), squeezed):
        found = _TO_ENGLISH.search(squeezed)
    return _mark(found, offsets, base)


def from_mark(raw: str) -> Mark | None:
    """The mark at the head of a text that began elsewhere."""
    if not _HINT.search(raw[:80]):
        return None
    squeezed, offsets = _flat(raw[:80])
    found = _FROM.match(squeezed)
    if found is None or not _bracketed(found.group(), squeezed):
        found = _FROM_ENGLISH.match(squeezed)
    return _mark(found, offsets, 0)


def _bracketed(found: str, whole: str) -> bool:
    """转第二版 without a bracket counts only as a line of its own, or with 下 and 上."""
    return found[0] in "(<" or found == whole or found.startswith(("下转", "上接", "紧接"))


def _mark(found: "re.Match[str] | None", offsets: list[int], base: int) -> Mark | None:
    if found is None:
        return None
    groups = found.groupdict()
    page = number_of(groups.get("page") or groups.get("bare") or "")
    if page is None:
        return None
    return Mark(base + offsets[found.start()], base + offsets[found.end() - 1] + 1, page)


def _flat(raw: str) -> tuple[str, list[int]]:
    line = text.canonical(raw)
    offsets = [i for i, char in enumerate(line) if char != " "]
    return "".join(line[i] for i in offsets), offsets
