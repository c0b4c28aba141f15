"""Document → Issue: the newspaper's text cut into its articles, every character accounted for.

1. characters   text.py       two views of the print, one to match in, one to read
2. blocks       blocks.py     what stands between blank lines, and where it may have to be cut
3. pages        pages.py      page lines, masthead (masthead.py), furniture, scattered headlines
4. labels       features.py, trade.py, tagger.py   what each unit is: headline, byline, body …
5. articles     articles.py   which units belong together
6. groups       grouping.py   notes, parts, series, and halves that jump to another page
7. fields       composing.py  spans become text: bylines.py, headlines.py, kinds.py
8. sections     sections.py   where in the paper's feeds an article goes

A file that is a proof (proof.py) has been through all this, and perhaps through an editor's hands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from syndicate.model import Document, Issue, Masthead, PrintedPage, Publication, Span
from syndicate.split import (
    articles,
    composing,
    features,
    grouping,
    masthead,
    pages,
    proof,
    seams,
    sections,
    tagger,
    text,
    trade,
)
from syndicate.split.articles import Draft
from syndicate.split.blocks import Block, units_of
from syndicate.split.pages import Sheet
from syndicate.split.proof import Proof
from syndicate.split.tagger import Tagged

__all__ = ["Explained", "explain", "split"]


@dataclass(frozen=True)
class Explained:
    """One unit of the print: what it was taken for, how surely, and what spoke for it."""

    span: Span
    page: int
    label: str
    score: float
    reasons: tuple[str, ...]
    text: str


def split(document: Document, publications: Sequence[Publication] = ()) -> Issue:
    """The issue a document holds. Never raises, loses or invents a character.

    A file that is a proof (proof.py) is taken as it says.
    """
    proofs, rest = _proofs(document)
    read = _printed(rest, publications)
    return _with_proofs(document, read, publications) if proofs else read


def _printed(document: Document, publications: Sequence[Publication]) -> Issue:
    layout = pages.layout(document, seams.packaged())
    head, paper = masthead.read(layout.head, publications)
    drafts: list[Draft] = []
    unwanted: list[Block] = []
    for sheet in layout.sheets:
        found, aside = _drafts(sheet)
        drafts += found
        unwanted += aside
    drafts = grouping.jumped(drafts)
    grouping.notes(drafts)
    drafts = grouping.parts(drafts)
    unwanted += grouping.series(drafts, [(s.page.number, b) for s in layout.sheets for b in s.series])
    grouping.columns(drafts)
    made = [composing.article(d, document, head.date, seams.packaged()) for d in drafts if d.runs]
    furniture = [(b.span,) for b in (*unwanted, *(b for sheet in layout.sheets for b in sheet.furniture))]
    return Issue(
        masthead=head,
        pages=_merged([sheet.page for sheet in layout.sheets]),
        articles=tuple(replace(a, section=sections.section_of(a, paper)) for a in made),
        furniture=tuple(
            text.readable(composing.printed(document, spans), title=True) for spans in sorted(furniture)
        ),
        warnings=masthead.calendar_warnings(head),
    )


def _proofs(document: Document, day: date | None = None) -> tuple[list[Proof], Document]:
    """The files that are proofs, and the document with nothing in them."""
    read = [proof.read(source.text, n, day) for n, source in enumerate(document.sources)]
    rest = (replace(s, text="") if p else s for s, p in zip(document.sources, read, strict=True))
    return [p for p in read if p], Document(tuple(rest))


def _with_proofs(document: Document, issue: Issue, publications: Sequence[Publication]) -> Issue:
    """What the proofs say and what was split beside them; the first proof with a masthead speaks for the paper."""
    heads = [one.masthead for one in _proofs(document)[0]]
    head = next((head for head in heads if head != Masthead()), issue.masthead)
    paper = next((p for p in publications if p.title == head.publication), None)
    proofs, _ = _proofs(document, head.date)
    files = {page.spans[0].file for one in proofs for page in one.pages}
    proofed = [replace(a, section=sections.section_of(a, paper)) for one in proofs for a in one.articles]
    rest = [page for page in issue.pages if page.spans[0].file not in files]
    return Issue(
        masthead=head,
        pages=_merged([*rest, *(page for one in proofs for page in one.pages)]),
        articles=tuple(sorted((*issue.articles, *proofed), key=lambda a: a.page)),
        furniture=(*(line for one in proofs for line in one.furniture), *issue.furniture),
        warnings=masthead.calendar_warnings(head),
    )


def explain(document: Document, publications: Sequence[Publication] = ()) -> tuple[Explained, ...]:  # noqa: ARG001
    """Every unit of the print with its label, its score and the reasons, in printed order."""
    proofs, rest = _proofs(document)
    told = [
        Explained(line.span, page, line.role or "body", 1.0, ("the proof says so",), line.said)
        for one in proofs
        for page, line in one.lines
    ]
    for sheet in pages.layout(rest, seams.packaged()).sheets:
        number = sheet.page.number
        units, tags = _tagged(sheet, why=True)
        told += (
            Explained(unit.span, number, tag.label, tag.probability, tag.reasons, unit.line)
            for unit, tag in zip(units, tags, strict=True)
        )
        told += (
            Explained(block.span, number, label, 1.0, (why,), block.line)
            for label, why, blocks in (
                ("page line", "looks like one", sheet.furniture),
                ("headline", "one character a block", [b for run in sheet.scattered for b in run]),
                ("index", "its lines name pages", sheet.index),
                ("series", "ends with the part's number", sheet.series),
            )
            for block in blocks
        )
    return tuple(sorted(told, key=lambda e: e.span))


def _drafts(sheet: Sheet) -> tuple[list[Draft], list[Block]]:
    """One page's articles, and the blocks that belong to none."""
    units, tags = _tagged(sheet)
    drafts, unwanted = articles.drafts_of(units, tags, sheet.page.number, sheet.page.title)
    if sheet.index:
        drafts.append(articles.index_of(sheet.index, sheet.page.number, sheet.page.title))
    left = grouping.headlines(drafts, sheet.scattered)
    grouping.promote(drafts)
    return drafts, [*unwanted, *(block for run in left for block in run)]


def _tagged(sheet: Sheet, *, why: bool = False) -> tuple[list[Block], list[Tagged]]:
    units = [unit for block in sheet.content for unit in units_of(block)]
    lost = ["".join(b.flat for b in run) for run in sheet.scattered]
    seen = features.features_of(units, seams.packaged(), lost)
    glued = [bool(unit.part) for unit in units]
    tags = tagger.tag(tagger.packaged(), seen, glued, trade.barred(units), why=why)
    return units, trade.siblings(units, trade.with_leads(units, tags, lost))


def _merged(found: Sequence[PrintedPage]) -> tuple[PrintedPage, ...]:
    """Pages in order of their numbers; two stretches of one page are one page."""
    merged: dict[int, PrintedPage] = {}
    for page in found:
        known = merged.get(page.number)
        merged[page.number] = (
            replace(known, title=known.title or page.title, spans=known.spans + page.spans) if known else page
        )
    return tuple(merged[number] for number in sorted(merged))
