"""Which section of its paper an article belongs to."""

from syndicate.model import Article, Publication, Section


def section_of(article: Article, publication: Publication | None) -> str | None:
    """The first section with a rule that fits, else the last one; None for an unknown paper."""
    if publication is None or not publication.sections:
        return None
    return next((s.slug for s in publication.sections if _fits(article, s)), publication.sections[-1].slug)


def _fits(article: Article, section: Section) -> bool:
    if article.page in section.pages:
        return True
    if article.page_title and any(title in article.page_title for title in section.page_titles):
        return True
    if article.series and any(name in article.series for name in section.series):
        return True
    lead = article.paragraphs[0] if article.paragraphs else ""
    said = "\n".join((article.headline or "", article.kicker or "", lead))
    return any(word in said for word in section.words)
