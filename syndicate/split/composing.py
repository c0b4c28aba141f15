"""Drafts → articles as they are read: every span in one field, every field's text restored."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from syndicate.model import Article, Byline, Dateline, Document, HeadlineSource, Jump, Part, Span
from syndicate.split import bylines, headlines, jumps, kinds, text
from syndicate.split.articles import Draft, Run
from syndicate.split.blocks import Block
from syndicate.split.seams import Seams

Passage = tuple[Span, ...]  # the printed pieces of one item of a field, in reading order


@dataclass
class _Fields:
    """The spans of an article, sorted into its fields, before they become text."""

    kicker: list[Span] = field(default_factory=list)
    headline: list[Span] = field(default_factory=list)
    subheads: list[Passage] = field(default_factory=list)
    series: list[Span] = field(default_factory=list)
    byline: list[Span] = field(default_factory=list)
    dateline: list[Span] = field(default_factory=list)
    editor_note: list[Span] = field(default_factory=list)
    paragraphs: list[Passage] = field(default_factory=list)
    captions: list[Passage] = field(default_factory=list)
    jump: list[Span] = field(default_factory=list)
    parts: list["_PartFields"] = field(default_factory=list)
    said: list[bylines.Credit] = field(default_factory=list)
    filed: Dateline = field(default_factory=Dateline)
    to_page: int | None = None
    from_page: int | None = None


@dataclass
class _PartFields:
    headline: list[Span]
    label: list[Span]
    profile: list[Span]
    paragraphs: list[Passage]


def article(draft: Draft, document: Document, issue_date: date | None, seams: Seams) -> Article:
    """One finished article."""
    fields = _Fields()
    _titles(draft, fields)
    _credits(draft, fields)
    for run in draft.paragraphs:
        _paragraph(run, fields, document, issue_date)
    _closing(fields, document, issue_date)
    for part in draft.parts:
        fields.parts.append(_part(part))
    return _written(draft, fields, document, seams)


def printed(document: Document, spans: Sequence[Span]) -> list[str]:
    """The source text of some spans."""
    return [document.sources[s.file].text[s.start : s.end] for s in spans]


def _titles(draft: Draft, fields: _Fields) -> None:
    fields.kicker = [b.span for run in draft.kicker for b in run]
    fields.headline = [b.span for b in draft.headline]
    fields.subheads = [_spans(run) for run in draft.subheads]
    fields.series = [b.span for b in draft.series]
    fields.editor_note = [b.span for run in draft.notes for b in run]
    fields.jump = [b.span for b in draft.repeated]


def _spans(run: Run) -> Passage:
    return tuple(b.span for b in run)


def _credits(draft: Draft, fields: _Fields) -> None:
    for run in draft.bylines:
        fields.byline += _spans(run)
        said = bylines.signed(" ".join(b.line for b in run))
        if said:
            fields.said.append(said)


def _paragraph(run: Run, fields: _Fields, document: Document, issue_date: date | None) -> None:
    """One paragraph, less jump marks, and less dateline and byline at the head of the first one."""
    spans: list[Span] = []
    for n, block in enumerate(run):
        begin, end = 0, len(block.raw)
        if came := jumps.from_mark(block.raw):
            fields.jump.append(_at(block.span, came.start, came.end))
            fields.from_page = fields.from_page or came.page
            begin = came.end
        if not n and not fields.paragraphs:
            begin += _lead(block, begin, fields, issue_date)
        elif not n and (again := bylines.lead(block.raw)):  # a second report under the same headline
            by = again.byline
            fields.said.append(bylines.Credit(by.reporters, by.correspondents, by.photographers))
        gone = jumps.to_mark(block.raw[begin:])
        if gone:
            fields.jump.append(_at(block.span, begin + gone.start, begin + gone.end))
            fields.to_page = fields.to_page or gone.page
            spans.append(_at(block.span, begin + gone.end, end))
            end = begin + gone.start
        spans.insert(len(spans) - bool(gone), _at(block.span, begin, end))
    kept = tuple(tight for span in spans if (tight := _tight(span, document)))
    if kept and kinds.is_caption(run):
        fields.captions.append(kept)
    elif kept:
        fields.paragraphs.append(kept)


def _lead(block: Block, begin: int, fields: _Fields, issue_date: date | None) -> int:
    """Take dateline and byline from the head of a text; say how far they go."""
    lead = bylines.lead(block.raw[begin:], issue_date)
    if lead is None:
        return 0
    if lead.dateline_at:
        fields.dateline.append(_at(block.span, begin + lead.dateline_at[0], begin + lead.dateline_at[1]))
        fields.filed = lead.dateline
    if lead.byline_at:
        fields.byline.append(_at(block.span, begin + lead.byline_at[0], begin + lead.byline_at[1]))
        by = lead.byline
        fields.said.append(bylines.Credit(by.reporters, by.correspondents, by.photographers))
    return lead.text_at


def _at(span: Span, start: int, end: int) -> Span:
    return Span(span.file, span.start + start, span.start + end)


def _tight(span: Span, document: Document) -> Span | None:
    """The span without blanks around it; None if nothing is left."""
    if span.end <= span.start:
        return None
    raw = text.canonical(document.sources[span.file].text[span.start : span.end])
    if not raw.strip():
        return None
    return Span(span.file, span.start + len(raw) - len(raw.lstrip()), span.start + len(raw.rstrip()))


def _closing(fields: _Fields, document: Document, issue_date: date | None) -> None:
    """A credit or a dateline in brackets as the last line."""
    while len(fields.paragraphs) > 1:
        line = text.squeezed("".join(printed(document, fields.paragraphs[-1])))
        if bylines.is_closing(line):
            said = bylines.credit(line)
            fields.byline += fields.paragraphs.pop()
            if said and (not bylines.is_help(line) or (bylines.is_edited(line) and not fields.said)):
                fields.said.append(said)
        elif bylines.is_filed(line) and not fields.dateline:
            spans = fields.paragraphs.pop()
            fields.dateline += spans
            fields.filed = bylines.filed(line, issue_date)
        else:
            return


def _part(draft: Draft) -> _PartFields:
    spans = [_spans(run) for run in draft.paragraphs]
    profile = list(spans.pop(0)) if draft.label and spans and kinds.is_profile(draft.paragraphs[0]) else []
    return _PartFields([b.span for b in draft.headline], [b.span for b in draft.label], profile, spans)


def _written(draft: Draft, fields: _Fields, document: Document, seams: Seams) -> Article:
    """Spans become text."""

    def read(spans: Sequence[Span], *, title: bool = False) -> str:
        return text.readable(printed(document, spans), title=title)

    paragraphs = tuple(read(spans) for spans in fields.paragraphs)
    headline = read(fields.headline, title=not draft.restored) or None
    source = HeadlineSource.RESTORED if draft.restored else HeadlineSource.PRINTED
    if headline is None:
        source = HeadlineSource.DERIVED
        lead = next((p for p in paragraphs if len(p) > 20), paragraphs[0] if paragraphs else "")
        headline = headlines.derived(lead, seams)
    said = fields.said
    everyone = Byline(
        _once(name for c in said for name in c.reporters),
        _once(name for c in said for name in c.correspondents),
        _once(name for c in said for name in c.photographers),
        "\n".join(_in_line(printed(document, fields.byline))),
    )
    parts = tuple(
        Part(
            read(p.headline, title=True) or None,
            read(p.label) or None,
            read(p.profile) or None,
            tuple(read(spans) for spans in p.paragraphs),
        )
        for p in fields.parts
    )
    raw_dateline = " ".join("".join(printed(document, fields.dateline)).split())
    kicker = read(fields.kicker, title=True) or None
    return Article(
        headline=headline,
        headline_source=source,
        kicker=kicker,
        subheads=tuple(read(spans, title=True) for spans in fields.subheads),
        series=read(fields.series, title=True) or None,
        byline=everyone,
        dateline=Dateline(fields.filed.place, fields.filed.date, raw_dateline),
        editor_note=read(fields.editor_note) or None,
        paragraphs=paragraphs,
        parts=parts,
        captions=tuple(read(spans) for spans in fields.captions),
        kind=kinds.kind_of(headline or "", paragraphs, signed=bool(draft.bylines), index=draft.index),
        page=draft.page,
        page_title=draft.page_title,
        jump=Jump(
            fields.to_page,
            None if draft.joined else fields.from_page,
            _in_line(printed(document, fields.jump)),
            draft.joined,
        ),
        confidence=_confidence(draft),
        warnings=_warnings(draft, fields, paragraphs, source),
        spans=_located(fields),
    )


def _in_line(printed: Iterable[str]) -> tuple[str, ...]:
    """As printed, but for line ends and wide blanks."""
    return tuple(" ".join(raw.split()) for raw in printed)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _confidence(draft: Draft) -> float:
    """The chance of its least certain decision, to the fifth power: at 0.9 98 in 100 are right (docs/splitting.md)."""
    return round(min(draft.chances, default=0.0) ** 5, 3)


_BROKEN = re.compile(r"[。！？…”』」）)：:；;—!?\d]$")


def _warnings(
    draft: Draft, fields: _Fields, paragraphs: Sequence[str], source: HeadlineSource
) -> tuple[str, ...]:
    warnings = []
    if source is HeadlineSource.DERIVED:
        warnings.append("the print lost the headline")
    for n, paragraph in enumerate(paragraphs, 1):
        goes_on = n == len(paragraphs) and fields.to_page is not None
        if len(paragraph) > 45 and not _BROKEN.search(paragraph) and not goes_on:
            warnings.append(f"paragraph {n} breaks off")
    if fields.to_page and not draft.joined:
        warnings.append(f"continues on page {fields.to_page}, which is not in this issue's text")
    if fields.from_page and not draft.joined:
        warnings.append(f"continued from page {fields.from_page}, where no article says so")
    return tuple(warnings)


def _located(fields: _Fields) -> dict[str, tuple[Passage, ...]]:
    """The spans by field name, each item of a field with its own."""
    named: dict[str, Sequence[Passage]] = {
        "headline": [tuple(fields.headline)],
        "kicker": [tuple(fields.kicker)],
        "subheads": fields.subheads,
        "series": [tuple(fields.series)],
        "byline": [tuple(fields.byline)],
        "dateline": [tuple(fields.dateline)],
        "editor_note": [tuple(fields.editor_note)],
        "paragraphs": fields.paragraphs,
        "captions": fields.captions,
        "jump": [(span,) for span in fields.jump],
        "parts": [
            tuple(s for spans in (p.headline, p.label, p.profile, *p.paragraphs) for s in spans)
            for p in fields.parts
        ],
    }
    return {name: tuple(items) for name, items in named.items() if any(items)}
