r"""The proof: a split issue as lines a person can read, mend and drop in again.

Every line is one field, told by the mark at its head; a line without one is a paragraph.

    = 1 要闻              a page begins; a proof begins with one
    % date 2026-11-16     what the paper says of itself, then what else is to be known of an article
    ~ …                   furniture
    # …                   a headline: an article begins (none printed: # alone)
    ^ …  ! …  + …         series, kicker, subhead
    : …  @ …              byline and dateline, as printed
    > …  & …              editor's note, caption
    -> …                  a jump mark, as printed
    * …  ** …  *** …      a part begins: its headline, label line and profile
    \…                     a paragraph that begins with a mark, or is empty

What is read from a proof is what it says: nothing is labelled, joined or restored again. Names and days are
read from byline and dateline by the rules of the trade, jumps from their marks.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date

from syndicate.model import (
    Article,
    Byline,
    Dateline,
    HeadlineSource,
    Issue,
    Jump,
    Kind,
    Masthead,
    Part,
    PrintedPage,
    Span,
)
from syndicate.split import bylines, jumps

_ROLES = {
    "=": "page",
    "%": "known",
    "~": "furniture",
    "#": "headline",
    "^": "series",
    "!": "kicker",
    "+": "subheads",
    ":": "byline",
    "@": "dateline",
    ">": "editor_note",
    "&": "captions",
    "->": "jump",
    "*": "part",
    "**": "label",
    "***": "profile",
}
_MARKS = {role: mark for mark, role in _ROLES.items()}
_LINE = re.compile(r"(->|\*{1,3}|[=%~#^!+:@>&])(?: (.*))?", re.DOTALL)
_PAGE = re.compile(r"(\d{1,9})(?: (.*))?", re.DOTALL)
_ESCAPED = re.compile(r"(?:->|\*{1,3}|[=%~#^!+:@>&])(?: |$)|\\|\s|$")
_BREAKS = re.compile(r"\s*[\r\n]\s*")


@dataclass(frozen=True)
class Proof:
    """What one file says that is a proof."""

    masthead: Masthead
    pages: tuple[PrintedPage, ...]
    articles: tuple[Article, ...]
    furniture: tuple[str, ...]
    lines: tuple[tuple[int, "Line"], ...]
    """Each line, with the number of its page."""


@dataclass(frozen=True)
class Line:
    """One line: what its mark makes of it, what it says, and where that stands."""

    role: str
    said: str
    span: Span
    begin: int


# ── an issue as a proof ──────────────────────────────────────────────────────────────────


def written(issue: Issue) -> str:
    """The issue as a proof; what is read from it is written the same again."""
    lines: list[str] = []
    for n, page in enumerate(issue.pages):
        lines += ["", _line("page", f"{page.number} {page.title or ''}")]
        if n == 0:
            lines += _of_issue(issue)
        for article in issue.articles:
            if article.page == page.number:
                lines += ["", *_of_article(article)]
    return "\n".join((*lines[1:], ""))


def _of_issue(issue: Issue) -> Iterator[str]:
    for one in fields(Masthead):
        value = getattr(issue.masthead, one.name)
        if value is not None:
            yield _line("known", f"{one.name} {value}")
    for printed in issue.furniture:
        yield _line("furniture", printed)


def _of_article(article: Article) -> Iterator[str]:
    derived = article.headline_source is HeadlineSource.DERIVED
    yield _line("headline", article.headline or "")
    if article.headline_source is not HeadlineSource.PRINTED:
        yield _line("known", "headline derived" if derived else "headline restored")
    if article.kind is not Kind.ARTICLE:
        yield _line("known", f"kind {article.kind.value}")
    if article.jump.joined:
        yield _line("known", "jump joined")
    titles = (("series", article.series), ("kicker", article.kicker), ("editor_note", article.editor_note))
    yield from (_line(role, said) for role, said in titles if said)
    yield from (_line("subheads", said) for said in article.subheads)
    yield from (_line("byline", said) for said in article.byline.raw.split("\n") if said)
    if article.dateline.raw:
        yield _line("dateline", article.dateline.raw)
    yield from (_line("", said) for said in article.paragraphs)
    yield from (_line("captions", said) for said in article.captions)
    yield from (_line("jump", said) for said in article.jump.raw)
    for part in article.parts:
        yield from _of_part(part)


def _of_part(part: Part) -> Iterator[str]:
    yield _line("part", part.headline or "")
    yield from (
        _line(role, said) for role, said in (("label", part.label), ("profile", part.profile)) if said
    )
    yield from (_line("", said) for said in part.paragraphs)


def _line(role: str, said: str) -> str:
    said = _BREAKS.sub(" ", said).strip()
    if role:
        return f"{_MARKS[role]} {said}".rstrip()
    return "\\" + said if _ESCAPED.match(said) else said


# ── a proof as an issue ──────────────────────────────────────────────────────────────────


def read(text: str, file: int = 0, issue_date: date | None = None) -> Proof | None:
    """What a proof says; None for any other text, and for a proof with a line that cannot stand where it is.

    `issue_date`: the day of the paper, for the datelines of a file that does not tell it.
    """
    lines = list(_lines(text, file))
    if not lines or lines[0].role != "page":
        return None
    try:
        return _read(lines, len(text), issue_date)
    except ValueError:
        return None


def _lines(text: str, file: int) -> Iterator[Line]:
    begin = 1 if text[:1] == "\ufeff" else 0
    for line in text[begin:].split("\n"):
        bare = line.removesuffix("\r")
        if bare.strip():
            marked = _LINE.fullmatch(bare)
            role, said = (_ROLES[marked[1]], marked[2] or "") if marked else ("", bare.removeprefix("\\"))
            end = begin + len(bare)
            yield Line(role, said, Span(file, end - len(said), end), begin)
        begin += len(line) + 1


@dataclass
class _Taken:
    """An article while its lines are read: what stands in which field, and where."""

    page: PrintedPage
    said: dict[str, list[Line]] = field(default_factory=dict)
    parts: list[dict[str, list[Line]]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """One more line. Raises ValueError if it cannot stand here."""
        if line.role == "known":
            key, _, value = line.said.partition(" ")
            if value not in _KNOWN.get(key, ()):
                raise ValueError(line.said)
            self.known[key] = value
        elif line.role == "part":
            self.parts.append({"headline": [line]})
        elif self.parts:
            if line.role not in ("label", "profile", ""):
                raise ValueError(line.said)
            self.parts[-1].setdefault(line.role or "paragraphs", []).append(line)
        else:
            if line.role in ("label", "profile"):
                raise ValueError(line.said)
            self.said.setdefault(line.role or "paragraphs", []).append(line)


_KNOWN = {
    "headline": ("derived", "restored"),
    "kind": tuple(kind.value for kind in Kind),
    "jump": ("joined",),
}


def _read(lines: Sequence[Line], size: int, issue_date: date | None) -> Proof:
    head: dict[str, str] = {}
    pages: list[PrintedPage] = []
    taken: list[_Taken] = []
    furniture: list[str] = []
    open_article: _Taken | None = None
    paged: list[tuple[int, Line]] = []
    for line in lines:
        if line.role == "page":
            pages.append(_page(line, first=not pages))
            open_article = None
        elif line.role == "furniture":
            furniture.append(line.said)
        elif line.role == "headline":
            open_article = _Taken(pages[-1])
            open_article.take(line)
            taken.append(open_article)
        elif open_article is not None:
            open_article.take(line)
        elif line.role == "known":
            key, _, value = line.said.partition(" ")
            head[key] = value
        else:
            raise ValueError(line.said)
        paged.append((pages[-1].number, line))
    masthead = _masthead(head)
    return Proof(
        masthead,
        _ended(pages, size),
        tuple(_article(one, masthead.date or issue_date) for one in taken),
        tuple(furniture),
        tuple(paged),
    )


def _page(line: Line, *, first: bool) -> PrintedPage:
    found = _PAGE.fullmatch(line.said)
    if not found:
        raise ValueError(line.said)
    begin = 0 if first else line.begin
    return PrintedPage(int(found[1]), found[2] or None, (Span(line.span.file, begin, begin),))


def _ended(pages: Sequence[PrintedPage], size: int) -> tuple[PrintedPage, ...]:
    """Each page up to the beginning of the next."""
    starts = [page.spans[0] for page in pages]
    ends = [*(s.start for s in starts[1:]), size]
    return tuple(
        replace(page, spans=(replace(start, end=end),))
        for page, start, end in zip(pages, starts, ends, strict=True)
    )


def _masthead(said: dict[str, str]) -> Masthead:
    if wrong := sorted(said.keys() - {one.name for one in fields(Masthead)}):
        raise ValueError(wrong[0])
    return Masthead(
        publication=said.get("publication"),
        publisher=said.get("publisher"),
        date=date.fromisoformat(said["date"]) if "date" in said else None,
        weekday=said.get("weekday"),
        lunar_date=said.get("lunar_date"),
        number=int(said["number"]) if "number" in said else None,
        page_count=int(said["page_count"]) if "page_count" in said else None,
    )


def _article(taken: _Taken, issue_date: date | None) -> Article:
    def said(role: str) -> tuple[str, ...]:
        return tuple(line.said for line in taken.said.get(role, ()))

    def one(role: str) -> str | None:
        return " ".join(said(role)) or None

    raw = " ".join(said("dateline"))
    return Article(
        headline=one("headline"),
        headline_source=HeadlineSource(taken.known.get("headline", "printed")),
        kicker=one("kicker"),
        subheads=said("subheads"),
        series=one("series"),
        byline=_byline(said("byline"), said("paragraphs")),
        dateline=replace(bylines.filed(raw, issue_date), raw=raw) if raw else Dateline(),
        editor_note=one("editor_note"),
        paragraphs=said("paragraphs"),
        parts=tuple(map(_part, taken.parts)),
        captions=said("captions"),
        kind=Kind(taken.known.get("kind", "article")),
        page=taken.page.number,
        page_title=taken.page.title,
        jump=_jump(said("jump"), joined="jump" in taken.known),
        spans=_spans(taken),
    )


def _byline(raw: Sequence[str], paragraphs: Sequence[str]) -> Byline:
    """Who the byline names, and who signs a second report under the same headline."""
    second = [lead.byline for paragraph in paragraphs[1:] if (lead := bylines.lead(paragraph))]
    said = [*(credit for line in raw if (credit := _credit(line))), *second]
    return Byline(
        _once(name for credit in said for name in credit.reporters),
        _once(name for credit in said for name in credit.correspondents),
        _once(name for credit in said for name in credit.photographers),
        "\n".join(raw),
    )


def _credit(line: str) -> Byline | bylines.Credit | None:
    lead = bylines.lead(line)
    return lead.byline if lead else bylines.signed(line)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _jump(raw: tuple[str, ...], *, joined: bool) -> Jump:
    gone = [mark.page for line in raw if (mark := jumps.to_mark(line))]
    came = [] if joined else [mark.page for line in raw if (mark := jumps.from_mark(line))]
    return Jump(next(iter(gone), None), next(iter(came), None), raw, joined)


def _part(said: dict[str, list[Line]]) -> Part:
    def one(role: str) -> str | None:
        return " ".join(line.said for line in said.get(role, ())) or None

    return Part(
        one("headline"),
        one("label"),
        one("profile"),
        tuple(line.said for line in said.get("paragraphs", ())),
    )


def _spans(taken: _Taken) -> dict[str, tuple[tuple[Span, ...], ...]]:
    """Where each field stands; a field of one text is one item, each line of another an item of its own."""
    single = ("headline", "series", "kicker", "byline", "dateline", "editor_note")
    found: dict[str, tuple[tuple[Span, ...], ...]] = {}
    for role, lines in taken.said.items():
        places = tuple(line.span for line in lines if line.said)
        if places:
            found[role] = (places,) if role in single else tuple((place,) for place in places)
    if taken.parts:
        found["parts"] = tuple(
            tuple(line.span for lines in part.values() for line in lines if line.said) for part in taken.parts
        )
    return found
