"""The pictures that a link to a page is shown with: where it is posted, they are what is seen of it first."""

from __future__ import annotations

from dataclasses import dataclass

from syndicate.model import Entry, Publication
from syndicate.render import cards


@dataclass(frozen=True, slots=True)
class Preview:
    """Two addresses of one card. WeChat takes the first picture of a page and crops it: the square one is named first."""

    square: str
    shared: str
    size: int = cards.SQUARE[0]
    width: int = cards.SHARED[0]
    height: int = cards.SHARED[1]


def of_entry(entry: Entry, paper: Publication, base_url: str) -> Preview:
    """The card of an article."""
    square, shared = (cards.address(entry, paper, base_url, shape) for shape in ("square", "shared"))
    return Preview(square, shared)


def of_paper(paper: Publication, base_url: str) -> Preview:
    """The card of the paper itself: for lists, and pages that are about no article."""
    square, shared = (cards.address_of_paper(paper, base_url, shape) for shape in ("square", "shared"))
    return Preview(square, shared)
