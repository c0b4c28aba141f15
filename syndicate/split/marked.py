"""Invented papers in one file each, every printed block a marked line → source text and truth to learn from.

training/README.md tells the marks. `python -m syndicate.split.marked FILE…` says what is wrong with a file.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_MARK = re.compile(r"(##|[=~^!#+:>&])(?: +(.*))?$")
_ROLES = {
    "=": "page",
    "~": "furniture",
    "^": "series",
    "!": "kicker",
    "#": "headline",
    "+": "subhead",
    ":": "byline",
    ">": "note",
    "##": "heading",
    "&": "caption",
    "": "body",
}
_OPENING = ("series", "kicker", "headline")
_LONGEST = {"series": 40, "kicker": 70, "headline": 80, "subhead": 90, "heading": 60, "byline": 90}
_PLURAL = {"subhead": "subheads", "byline": "bylines", "caption": "captions"}

Truth = dict[str, Any]


def read(marked: str) -> tuple[str, Truth]:
    """The issue as a clean print, a block to a paragraph, and its truth as the JSON files of other issues hold it.

    Raises ValueError, with the line's number, for a line that cannot stand where it is.
    """
    printed: list[str] = []
    articles: list[Truth] = []
    ignorable: list[str] = []
    now: Truth | None = None
    for number, line in enumerate(marked.splitlines(), 1):
        role, said = _marked(line.strip())
        if len(said) > _LONGEST.get(role, len(said)):
            raise ValueError(f"line {number}: a {role} of {len(said)} characters")
        printed += [said] if said else []
        if role == "page":
            now = None
        elif role == "furniture":
            ignorable.append(said)
        elif line.strip():
            if now is None or (role in _OPENING and _is_past_its_titles(now)):
                if role not in _OPENING:
                    raise ValueError(
                        f"line {number}: a {role} before the title of its article (or an empty #)"
                    )
                now = _opened()
                articles.append(now)
            _take(now, role, said)
    for article in articles:
        if not article["paragraphs"] and not article["captions"]:
            raise ValueError(f"the article {article['headline']!r} has no text")
    return "\n\n".join(printed) + "\n", {"issue": {}, "articles": articles, "ignorable": ignorable}


def _marked(line: str) -> tuple[str, str]:
    match = _MARK.match(line)
    return (_ROLES[match[1]], (match[2] or "").strip()) if match else ("body", line)


def _opened() -> Truth:
    return {
        "headline": None,
        "kicker": None,
        "series": None,
        "subheads": [],
        "bylines": [],
        "editor_note": None,
        "paragraphs": [],
        "headings": [],
        "captions": [],
        "printed": [],
        "headed": False,
    }


def _is_past_its_titles(now: Truth) -> bool:
    """Whether the next title line can no longer belong to the present article."""
    keys = ("headed", "subheads", "bylines", "editor_note", "paragraphs", "captions")
    return any(now[key] for key in keys)


def _take(now: Truth, role: str, said: str) -> None:
    now["headed"] = now["headed"] or role == "headline"
    if not said:
        return
    now["printed"].append((role, said))
    if role in ("headline", "kicker", "series", "note"):
        key = "editor_note" if role == "note" else role
        now[key] = f"{now[key]} {said}" if now[key] else said
    elif role in _PLURAL:
        now[_PLURAL[role]].append(said)
    else:
        now["paragraphs"].append(said)
        if role == "heading":
            now["headings"].append(said)


def main(files: Sequence[str]) -> None:
    """Check the files: a line for each."""
    for file in files:
        try:
            source, truth = read(Path(file).read_text("utf-8"))
        except ValueError as wrong:
            sys.exit(f"{file}: {wrong}")
        sys.stdout.write(f"{file}: {len(truth['articles'])} articles, {len(source)} characters\n")


if __name__ == "__main__":
    main(sys.argv[1:])
