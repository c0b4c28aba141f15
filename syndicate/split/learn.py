"""From real issues with truth to the packaged models: `python -m syndicate.split.learn FOLDER…`.

A folder has sources/ and truth/. What is learned is written beside this module, to the byte the
same for the same folders: character counts to seams.tsv, the labeller's votes to labels.tsv.
"""

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from syndicate.model import Document, Source
from syndicate.split import features, pages, seams, tagger, text
from syndicate.split.blocks import Block, units_of
from syndicate.split.tagger import LABELS, Label

_ROUNDS = 6
_LEAST = 4  # a feature seen less often has no vote


@dataclass(frozen=True)
class Example:
    """One page with the label of every unit."""

    units: list[tuple[str, ...]]
    glued: list[bool]
    labels: list[int]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Place:
    """What one character of the truth belongs to."""

    role: str
    article: int
    field: int
    first: bool


class Key:
    """The truth of an issue as one string, with the role of every character."""

    def __init__(self, truth: dict) -> None:  # type: ignore[type-arg]
        self._chars: list[str] = []
        self._places: list[Place | None] = []
        self._fields = 0
        self.lost: set[int] = set()
        self.names: dict[int, set[str]] = {}
        for n, article in enumerate(truth["articles"]):
            if article.get("headline_lost"):
                self.lost.add(n)
            self.names[n] = set(article.get("names", article.get("reporters", [])))
            for role in ("kicker", "headline"):
                self._add(article.get(role), role, n)
            for subhead in article.get("subheads") or []:
                self._add(subhead, "subhead", n)
            for paragraph in article["paragraphs"]:
                role = "heading" if _is_heading(paragraph) else "body"
                self._add(paragraph, role, n)
        for line in truth.get("ignorable") or []:
            self._add(line, "ignorable", -1)
        self._text = "".join(self._chars)
        self._at = 0

    def _add(self, printed: str | None, role: str, article: int) -> None:
        string = _key(printed or "")
        if string:
            self._fields += 1
            self._chars.append(string + "\0")
            self._places += [Place(role, article, self._fields, i == 0) for i in range(len(string))]
            self._places.append(None)

    def find(self, block: Block) -> Place | None:
        """The place of a block's first character, searched for near the last one found."""
        string = _key(block.flat)
        if not string:
            return None
        at = self._at + (self._text[self._at : self._at + 1] == "\0")
        if not self._text.startswith(string, at):
            at = self._text.find(string, max(0, self._at - 400), self._at + 4000)
        if at < 0 and len(string) > 3:
            at = self._text.find(string)
        if at < 0:
            return None
        place = self._places[at]
        if place and place.role != "ignorable" and (len(string) > 3 or self._at <= at <= self._at + 1):
            self._at = at + len(string)
        return place


def _key(string: str) -> str:
    return re.sub(r"[-—·.。…*\"']", "", text.flat(string))


def _is_heading(paragraph: str) -> bool:
    flat = text.flat(paragraph)
    return len(flat) <= 45 and not re.search(r"[。!?:)\"]$", flat) and not re.search(r"摄|供图|[文图]$", flat)


def example(source: str, truth: dict, counts: seams.Seams) -> Iterable[Example]:  # type: ignore[type-arg]
    """The pages of one issue, labelled."""
    key = Key(truth)
    for sheet in pages.layout(Document((Source("", source),)), counts).sheets:
        units = tuple(unit for block in sheet.content for unit in units_of(block))
        if not units:
            continue
        labels: list[Label] = []
        before: Place | None = None
        headed: set[int] = set()
        for unit in units:
            label, place = _label(unit, key, before, labels, headed)
            labels.append(label)
            before = place or before
        lost = ["".join(b.flat for b in run) for run in sheet.scattered]
        yield Example(
            features.features_of(units, counts, lost),
            [bool(unit.part) for unit in units],
            [LABELS.index(label) for label in labels],
            units,
        )


def _label(
    unit: Block, key: Key, before: Place | None, labels: Sequence[Label], headed: set[int]
) -> tuple[Label, Place | None]:
    from syndicate.split import bylines, jumps

    raw = unit.raw
    mark = jumps.to_mark(raw)
    if mark:
        raw = raw[: mark.start] + raw[mark.end :]
    came = jumps.from_mark(raw)
    if came:
        raw = raw[came.end :]
    place = key.find(Block(unit.file, unit.start, unit.end, raw))
    if place is None:
        if unit.part:
            return (labels[-1] if labels[-1] in (Label.MORE, Label.CONT) else Label.CONT), None
        short = len(unit.flat) <= 70 and "。" not in unit.flat
        near = labels and labels[-1] in (Label.HEADLINE, Label.SUBHEAD, Label.MORE, Label.BYLINE, Label.KICKER)
        if short and (near or bylines.credit(unit.line)):
            return Label.BYLINE, None
        return (Label.FURNITURE if short else Label.BODY), None
    if place.role == "ignorable":
        return Label.FURNITURE, None
    goes_on = before is not None and before.field == place.field and not place.first
    if place.role in ("kicker", "headline", "subhead"):
        headed.add(place.article)
        return (Label.MORE if goes_on and unit.part else Label(place.role)), place
    if came:
        return Label.LEAD, place
    if goes_on:
        return Label.CONT, place
    opens = before is None or before.article != place.article
    if opens and place.article not in headed:
        headed.add(place.article)
        return Label.LEAD, place
    headed.add(place.article)
    return Label(place.role), place


def issues(folders: Sequence[Path]) -> list[tuple[str, str, dict]]:  # type: ignore[type-arg]
    """Name, source text and truth of every issue in the folders, sorted by name."""
    found = []
    for folder in folders:
        for path in sorted((folder / "truth").glob("*.json")):
            source = (folder / "sources" / path.stem).with_suffix(".txt")
            source = folder / "sources" / f"{path.name.removesuffix('.json')}.txt"
            found.append((path.name.removesuffix(".json"), source.read_text("utf-8"), json.loads(path.read_text("utf-8"))))
    return found


def learn_seams(found: Sequence[tuple[str, str, dict]]) -> seams.Seams:  # type: ignore[type-arg]
    """Character counts from the paragraphs of the cleanest level of each issue."""
    counts = seams.Seams()
    seen = set()
    for name, _, truth in found:
        issue = name.rsplit(".", 1)[0]
        if issue in seen:
            continue
        seen.add(issue)
        for article in truth["articles"]:
            for paragraph in article["paragraphs"]:
                if len(paragraph) > 1:
                    counts.count(paragraph)
    return counts


def learn_labels(
    found: Sequence[tuple[str, str, dict]], counts: seams.Seams, rounds: int = _ROUNDS  # type: ignore[type-arg]
) -> tagger.Weights:
    """Votes and moves from all pages, in an order shuffled the same way each time."""
    examples = [page for _, source, truth in found for page in example(source, truth, counts)]
    often = Counter(name for page in examples for unit in page.units for name in unit)
    learner = tagger.Learner()
    for name, n in sorted(often.items()):
        if n >= _LEAST:
            learner.know(name)
    order = random.Random(1)
    for turn in range(rounds):
        order.shuffle(examples)
        for page in examples:
            learner.learn(page.units, page.glued, page.labels)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return learner.weights


def main(folders: Sequence[str]) -> None:
    """Learn from the folders and write both models beside this module."""
    here = Path(__file__).parent
    found = issues([Path(folder) for folder in folders])
    counts = seams.read(seams.written(learn_seams(found)))
    (here / "seams.tsv").write_text(seams.written(counts), "utf-8")
    weights = learn_labels(found, counts)
    (here / "labels.tsv").write_text(tagger.written(weights), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
