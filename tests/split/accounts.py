"""What an issue's output accounts for, held against its source: the law of conservation, and a comparison."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

_SAME = str.maketrans(
    dict.fromkeys("“”„‟″＂‘’‚′`'", '"')
    | dict.fromkeys("—–―－─━", "-")
    | {"·": ".", "•": ".", "・": ".", "。": "."}
)


def bare(text: str) -> str:
    """Characters as they count: no blanks, controls or emphasis, all widths and quotation marks alike."""
    folded = unicodedata.normalize("NFKC", text or "").translate(_SAME)
    return "".join(
        c for c in folded if not c.isspace() and c != "*" and unicodedata.category(c) not in ("Cc", "Cf")
    )


def printed(output: dict[str, Any]) -> Counter[str]:
    """Every character the output says was printed."""
    said: list[str | None] = list(output["furniture"])
    for article in output["articles"]:
        if article["headline_source"] != "derived":
            said.append(article["headline"])
        said += [article["kicker"], article["series"], article["editor_note"], article["byline"]["raw"]]
        said += [
            *article["subheads"],
            *article["jump"]["raw"],
            *article["captions"],
            article["dateline"]["raw"],
        ]
        said += article["paragraphs"]
        for part in article["parts"]:
            said += [part["headline"], part["label"], part["profile"], *part["paragraphs"]]
    return sum((Counter(bare(piece or "")) for piece in said), Counter())


def missing_and_invented(source: str, output: dict[str, Any]) -> tuple[Counter[str], Counter[str]]:
    """What the source has and the output lacks, and the other way round."""
    there, told = Counter(bare(source)), printed(output)
    return there - told, told - there


def found(truth: dict[str, Any], output: dict[str, Any]) -> tuple[int, int, int]:
    """How many articles the truth has, how many the output has, and how many of them hold the same text."""
    wanted = [_pairs(a) for a in truth["articles"]]
    ignorable = _pairs({"paragraphs": truth.get("ignorable") or []})
    made = [
        p for a in output["articles"] if (p := _pairs(a)) and sum((p & ignorable).values()) < 0.7 * p.total()
    ]
    right = sum(any(_alike(want, has) for has in made) for want in wanted)
    return len(wanted), len(made), right


def _pairs(article: dict[str, Any]) -> Counter[str]:
    said = bare(
        "".join(
            [*article["paragraphs"], *(p for part in article.get("parts") or [] for p in part["paragraphs"])]
        )
    )
    return Counter(said[i : i + 3] for i in range(len(said) - 2))


def _alike(a: Counter[str], b: Counter[str]) -> bool:
    return (a & b).total() >= 0.8 * max(1, (a | b).total())
