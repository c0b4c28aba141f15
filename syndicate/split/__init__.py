"""Document → Issue: the newspaper's text cut into its articles, every character accounted for.

1. characters   text.py       two views of the print, one to match in, one to read
2. blocks       blocks.py     what stands between blank lines, and where it may have to be cut
3. pages        pages.py      page lines, masthead (masthead.py), furniture, scattered headlines
4. labels       features.py, tagger.py, seams.py   what each unit is: headline, byline, body …
5. articles     articles.py   which units belong together
6. groups       grouping.py   notes, parts, series, and halves that jump to another page
7. fields       composing.py  spans become text: bylines.py, headlines.py, kinds.py
8. sections     sections.py   where in the paper's feeds an article goes
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from syndicate.model import Article, Document, Issue, PrintedPage, Publication, Span
from syndicate.split import articles, composing, features, grouping, masthead, pages, sections, seams, tagger, text
from syndicate.split.blocks import Block, units_of
from syndicate.split.pages import Sheet
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
    """The issue a document holds. Never raises, loses or invents a character."""
    layout = pages.layout(document, seams.packaged())
    head, paper = masthead.read(layout.head, publications)
    drafts: list[articles.Draft] = []
    furniture: list[tuple[Span, ...]] = []
    for sheet in layout.sheets:
        found, aside = _drafts(sheet)
        drafts += found
        furniture += aside
    drafts = grouping.jumped(drafts)
    grouping.notes(drafts)
    drafts = grouping.parts(drafts)
    grouping.series(drafts)
    grouping.indexes(drafts)
    drafts = [draft for draft in drafts if draft.kicker or draft.headline or draft.paragraphs or draft.subheads or draft.bylines]
    made = [composing.article(draft, document, head.date, seams.packaged()) for draft in drafts]
    return Issue(
        masthead=head,
        pages=_merged(sheet.page for sheet in layout.sheets),
        articles=tuple(_placed(article, paper) for article in made),
        furniture=tuple(_printed(document, spans) for spans in furniture),
        warnings=masthead.calendar_warnings(head),
    )


def explain(document: Document, publications: Sequence[Publication] = ()) -> tuple[Explained, ...]:
    """Every unit of the print with its label, its score and the reasons, in printed order."""
    told: list[Explained] = []
    for sheet in pages.layout(document, seams.packaged()).sheets:
        number = sheet.page.number
        units, tags = _tagged(sheet, why=True)
        told += (
            Explained(unit.span, number, tag.label, tag.probability, tag.reasons, unit.line)
            for unit, tag in zip(units, tags, strict=True)
        )
        told += (Explained(b.span, number, "page line", 1.0, ("looks like one",), b.line) for b in sheet.furniture)
        told += (
            Explained(b.span, number, "headline", 1.0, ("one character a block",), b.line)
            for run in sheet.scattered
            for b in run
        )
    return tuple(sorted(told, key=lambda e: e.span))


def _drafts(sheet: Sheet) -> tuple[list[articles.Draft], list[tuple[Span, ...]]]:
    """One page's articles, and the spans of what is none."""
    units, tags = _tagged(sheet)
    drafts, unwanted = articles.drafts_of(units, tags, sheet.page.number, sheet.page.title)
    left = grouping.headlines(drafts, sheet.scattered)
    aside = [(b.span,) for b in (*sheet.furniture, *unwanted)]
    aside += [tuple(b.span for b in run) for run in left]
    return drafts, sorted(aside)


def _tagged(sheet: Sheet, *, why: bool = False) -> tuple[list[Block], list[Tagged]]:
    units = [unit for block in sheet.content for unit in units_of(block)]
    lost = ["".join(b.flat for b in run) for run in sheet.scattered]
    seen = features.features_of(units, seams.packaged(), lost)
    return units, tagger.tag(tagger.packaged(), seen, [bool(unit.part) for unit in units], why=why)


def _printed(document: Document, spans: Sequence[Span]) -> str:
    return text.readable(composing.printed(document, spans), title=True)


def _placed(article: Article, paper: Publication | None) -> Article:
    return replace(article, section=sections.section_of(article, paper))


def _merged(found: "Sequence[PrintedPage] | object") -> tuple[PrintedPage, ...]:
    """Pages in order of their numbers; two stretches of one page are one page."""
    merged: dict[int, PrintedPage] = {}
    for page in found:  # type: ignore[attr-defined]
        known = merged.get(page.number)
        merged[page.number] = (
            replace(known, title=known.title or page.title, spans=known.spans + page.spans) if known else page
        )
    return tuple(merged[number] for number in sorted(merged))
