"""From real issues with truth to the packaged models: `python -m syndicate.split.learn FOLDER…`.

A folder has sources/ and truth/, or issues in one marked file each (marked.py). What is learned is written beside
this module, to the byte the same for the same folders: character counts to
seams.tsv, the labeller's votes to labels.tsv.
"""

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

from tqdm import tqdm

from syndicate.model import Document, Source
from syndicate.split import bylines, damage, features, jumps, marked, pages, seams, tagger, text
from syndicate.split.blocks import Block, units_of
from syndicate.split.learner import Learner
from syndicate.split.tagger import LABELS, Label

_ROUNDS = 6
_AVERAGED = 3  # the last rounds, whose weights are averaged
_AGAIN = 3  # how often each clean issue is set again as another paper would print it
_REAL = 2  # how often real issues count for each time an invented one does
_LEVELS = (".L0", ".L1", ".L2")  # of damage, as the names of the training issues tell; the first is clean
_LEAST = 8  # a feature seen less often has no vote


Truth = dict[str, Any]
"""An issue's truth, as its JSON file holds it."""


Sourced = tuple[str, str, Truth]
"""An issue's name, its source text and its truth."""


@dataclass(frozen=True)
class Example:
    """One page with the label of every unit."""

    units: list[tuple[str, ...]]
    glued: list[bool]
    labels: list[int]


@dataclass(frozen=True)
class Place:
    """What one character of the truth belongs to."""

    role: str
    article: int
    field: int
    first: bool


class Key:
    """The truth of an issue as one string, with the role of every character."""

    def __init__(self, truth: Truth) -> None:
        self._chars: list[str] = []
        self._places: list[Place | None] = []
        self._fields = 0
        for n, article in enumerate(truth["articles"]):
            for printed, role in _fields_of(article):
                self._add(printed, role, n)
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


def _fields_of(article: Truth) -> Iterator[tuple[str | None, str]]:
    """What was printed of an article, and what each piece is."""
    yield article.get("series"), "kicker"
    yield article.get("kicker"), "kicker"
    yield article.get("headline"), "headline"
    for subhead in article.get("subheads") or []:
        yield subhead, "subhead"
    yield article.get("editor_note"), "body"
    for byline in article.get("bylines") or []:
        yield byline, "byline"
    for paragraph in article["paragraphs"]:
        yield paragraph, "heading" if _is_heading(paragraph, article.get("headings")) else "body"
    for part in article.get("parts") or []:
        yield part["headline"], "headline"
        yield part.get("label"), "label"
        for paragraph in (part.get("profile"), *part["paragraphs"]):
            yield paragraph, "body"
    for caption in article.get("captions") or []:
        yield caption, "body"


def _key(string: str) -> str:
    return re.sub(r"[-—·.。…*\"']", "", text.flat(string))


def _is_heading(paragraph: str, known: Sequence[str] | None) -> bool:
    """Whether it is an inner heading: one that the truth names, or where it names none, a bare line."""
    if known is not None:
        return paragraph in known
    flat = text.flat(paragraph)
    said = bylines.credit(text.squeezed(paragraph))
    return (
        len(flat) <= 45
        and not re.search(r"[。!?:)\",;、]$|摄|供图|[文图]$", flat)
        and not (said is not None and said.roles)
    )


def example(source: str, truth: Truth, counts: seams.Seams) -> Iterable[Example]:
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
        )


def _label(
    unit: Block, key: Key, before: Place | None, labels: Sequence[Label], headed: set[int]
) -> tuple[Label, Place | None]:
    raw, came = _unmarked(unit.raw)
    place = key.find(Block(unit.file, unit.start, unit.end, raw))
    if place is None:
        return _unknown(unit, labels), None
    if place.role == "ignorable":
        return Label.FURNITURE, None
    goes_on = before is not None and place.field in (before.field, before.field - 1) and not place.first
    if place.role in ("kicker", "headline", "subhead"):
        headed.add(place.article)
        return (Label.MORE if goes_on and unit.part else Label(place.role)), place
    if place.role == "label":
        return Label.MORE, place
    if place.role == "byline":
        return (Label.CONT if goes_on else Label.BYLINE), place
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


def _unmarked(raw: str) -> tuple[str, bool]:
    """The text without its jump marks, and whether it came from another page."""
    if gone := jumps.to_mark(raw):
        raw = raw[: gone.start] + raw[gone.end :]
    came = jumps.from_mark(raw)
    return raw[came.end :] if came else raw, came is not None


_TITLES = (Label.HEADLINE, Label.SUBHEAD, Label.MORE, Label.BYLINE, Label.KICKER)


def _unknown(unit: Block, labels: Sequence[Label]) -> Label:
    """What the truth does not hold is a byline, or furniture."""
    if unit.part:
        return labels[-1] if labels[-1] in (Label.MORE, Label.CONT) else Label.CONT
    if len(unit.flat) > 70 or "。" in unit.flat:
        return Label.BODY
    near = bool(labels) and labels[-1] in _TITLES
    return Label.BYLINE if near or bylines.credit(unit.line) else Label.FURNITURE


def issues(folders: Sequence[Path]) -> list[Sourced]:
    """Name, source text and truth of every issue in the folders, sorted by name in each."""
    found = []
    for folder in folders:
        if not (folder / "truth").is_dir():
            found += [(p.stem, *marked.read(p.read_text("utf-8"))) for p in sorted(folder.glob("*.txt"))]
        for path in sorted((folder / "truth").glob("*.json")):
            truth = json.loads(path.read_text("utf-8"))
            name = path.name.removesuffix(".json")
            found.append((name, _printed(folder, name, truth), truth))
    return found


def _printed(folder: Path, name: str, truth: Truth) -> str:
    """An issue's source: sources/<name>.txt, or the files that its truth names, one below the other."""
    beside = folder / "sources" / f"{name}.txt"
    if beside.exists():
        return beside.read_text("utf-8")
    named = truth["source"] if isinstance(truth["source"], list) else [truth["source"]]
    return "\n\n".join((folder / file).read_text("utf-8") for file in named)


def learn_seams(found: Sequence[Sourced]) -> seams.Seams:
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


def learn_labels(found: Sequence[Sourced], counts: seams.Seams, rounds: int = _ROUNDS) -> tagger.Weights:
    """Votes and moves from all pages, in an order shuffled the same way each time."""
    examples = list(_examples(found, counts))
    often = Counter(name for page in examples for unit in page.units for name in unit)
    learner = Learner({name: n for name, n in sorted(often.items()) if n >= _LEAST})
    pages_ = [learner.page(page.units, page.glued, page.labels) for page in examples]
    order = random.Random(1)  # noqa: S311  a fixed seed: the same weights each time
    for turn in tqdm(range(rounds), "learning", unit="round"):
        order.shuffle(pages_)
        for page in pages_:
            learner.learn(page)
        if turn >= rounds - _AVERAGED:
            learner.keep()
    return learner.mean()


def _examples(found: Sequence[Sourced], counts: seams.Seams) -> Iterator[Example]:
    """Every issue as printed, and set again; in the same order, however many processes look at the pages."""
    with ProcessPoolExecutor() as pool:
        looked = pool.map(_examples_of, found, repeat(counts))
        for examples in tqdm(looked, "looking at pages", total=len(found), unit="issue"):
            yield from examples


def _examples_of(issue: Sourced, counts: seams.Seams) -> list[Example]:
    name, source, truth = issue
    real = name.endswith(_LEVELS)
    often = 1 if real else len(_LEVELS)  # printed once only: as often as the others at all levels
    examples = list(example(source, truth, counts)) * often
    for again in range(0 if name.endswith(_LEVELS[1:]) else _AGAIN):
        source, key = damage.issue(truth, random.Random(f"{name} {again}"))  # noqa: S311  a fixed seed
        examples += example(source, key, counts)
    return examples * (_REAL if real else 1)


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
