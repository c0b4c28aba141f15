"""What a page says of itself to search engines: schema.org as JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from syndicate.model import Entry, Publication, StoredIssue
from syndicate.render import articles


def news_article(
    entry: Entry, paper: Publication, issue: StoredIssue, url: str, base_url: str, pictures: Sequence[str]
) -> Markup:
    """The article as schema.org/NewsArticle."""
    article = entry.article
    section = paper.section(entry.section)
    return _script(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "@id": url,
            "url": url,
            "mainEntityOfPage": url,
            "identifier": entry.id,
            "headline": articles.headline(article),
            "alternativeHeadline": articles.line(article.kicker),
            "description": articles.summary(article),
            "image": list(pictures),
            "inLanguage": paper.language,
            "datePublished": entry.published.isoformat(),
            "dateModified": entry.updated.isoformat(),
            "author": [{"@type": "Person", "name": articles.line(name)} for name in article.byline.names]
            or [{"@type": "Organization", "name": paper.title}],
            "publisher": {
                "@type": "NewsMediaOrganization",
                "name": paper.title,
                "url": f"{base_url}/{paper.slug}/",
            },
            "articleSection": section.title if section else "",
            "printPage": str(article.page),
            "dateline": articles.line(article.dateline.place),
            "isAccessibleForFree": True,
            "isPartOf": {
                "@type": "PublicationIssue",
                "issueNumber": "" if issue.number is None else str(issue.number),
                "datePublished": issue.date.isoformat(),
                "url": base_url + issue.path,
                "isPartOf": {"@type": "Newspaper", "name": paper.title},
            },
        }
    )


def _script(said: Mapping[str, object]) -> Markup:
    """The JSON for a <script> element: no character in it can end the element or begin a comment."""
    text = json.dumps({name: value for name, value in said.items() if value != ""}, ensure_ascii=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704  # nothing of HTML is left in it
