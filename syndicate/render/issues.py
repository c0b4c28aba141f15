"""Issue → the JSON of `syndicate split --json`."""

from typing import Any

from syndicate.model import Article, Issue, Part, Span


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
        "spans": {
            name: [[_span(span, several) for span in item] for item in items]
            for name, items in article.spans.items()
        },
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "headline": part.headline,
        "label": part.label,
        "profile": part.profile,
        "paragraphs": list(part.paragraphs),
    }


def _span(span: Span, several: bool) -> list[int]:
    return [span.file, span.start, span.end] if several else [span.start, span.end]
