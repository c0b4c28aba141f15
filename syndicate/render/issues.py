"""Issue → the JSON of `syndicate split --json`."""

from typing import Any

from syndicate.model import Article, HeadlineSource, Issue, Kind, Part, Span

SINGLE = ("headline", "kicker", "series", "byline", "dateline", "editor_note")
"""Fields that hold one text: their spans are a list of places, not a list of such lists."""


def as_json(issue: Issue) -> dict[str, Any]:
    """The issue as plain values, in the form documented in docs/splitting.md."""
    several = any(span.file for page in issue.pages for span in page.spans)
    head = issue.masthead
    return {
        "publication": head.publication,
        "publisher": head.publisher,
        "date": head.date.isoformat() if head.date else None,
        "weekday": head.weekday,
        "lunar_date": head.lunar_date,
        "number": head.number,
        "page_count": head.page_count,
        "warnings": list(issue.warnings),
        "articles": [_article(article, several) for article in issue.articles],
        "furniture": list(issue.furniture),
    }


def as_outline(issue: Issue) -> str:
    """The issue for a person at a terminal: its masthead, and a line for each article by page."""
    head = issue.masthead
    lines = [" · ".join(str(v) for v in (head.publication, head.date, head.number) if v is not None)]
    for page in issue.pages:
        lines.append(f"\n{page.number:02d} {page.title or ''}".rstrip())
        lines += [_line(article) for article in issue.articles if article.page == page.number]
    return "\n".join((*lines, *(f"warning: {w}" for w in issue.warnings)))


def _line(article: Article) -> str:
    who = " ".join(article.byline.names)
    size = sum(map(len, article.paragraphs)) + sum(len(p) for part in article.parts for p in part.paragraphs)
    kind = "" if article.kind is Kind.ARTICLE else f" [{article.kind}]"
    mark = "" if article.headline_source is HeadlineSource.PRINTED else f" ({article.headline_source})"
    return f"  {article.headline or '—'}{mark}{kind}  {who}  {size}"


def _article(article: Article, several: bool) -> dict[str, Any]:
    return {
        "headline": article.headline,
        "headline_source": article.headline_source.value,
        "kicker": article.kicker,
        "subheads": list(article.subheads),
        "series": article.series,
        "byline": {
            "reporters": list(article.byline.reporters),
            "correspondents": list(article.byline.correspondents),
            "photographers": list(article.byline.photographers),
            "raw": article.byline.raw,
        },
        "dateline": {
            "place": article.dateline.place,
            "date": article.dateline.date.isoformat() if article.dateline.date else None,
            "raw": article.dateline.raw,
        },
        "editor_note": article.editor_note,
        "paragraphs": list(article.paragraphs),
        "parts": [_part(part) for part in article.parts],
        "captions": list(article.captions),
        "kind": article.kind.value,
        "page": article.page,
        "jump": {
            "to_page": article.jump.to_page,
            "from_page": article.jump.from_page,
            "raw": list(article.jump.raw),
            "joined": article.jump.joined,
        },
        "section": article.section,
        "confidence": article.confidence,
        "warnings": list(article.warnings),
        "spans": {name: _places(name, items, several) for name, items in article.spans.items()},
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "headline": part.headline,
        "label": part.label,
        "profile": part.profile,
        "paragraphs": list(part.paragraphs),
    }


def _places(name: str, items: tuple[tuple[Span, ...], ...], several: bool) -> list[Any]:
    places = [[_span(span, several) for span in item] for item in items]
    return [place for item in places for place in item] if name in SINGLE else places


def _span(span: Span, several: bool) -> list[int]:
    return [span.file, span.start, span.end] if several else [span.start, span.end]
