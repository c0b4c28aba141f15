"""The split on every set of issues with truth beside the project: a table, and the mean of each set.

    python -m bench.split [--worst N] [--without PATTERN]

The scorer is the one of the shared folder. `--without` learns anew from the issues whose names do not
match the pattern, which takes minutes, and scores only those that do: what a paper costs that nobody saw.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from syndicate.model import Publication
from syndicate.readers import text
from syndicate.render.issues import as_json
from syndicate.split import learn, seams, split, tagger

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("SYNDICATE_SHARED") or ROOT.parent / "shared") / "splitting"  # noqa: TID251  # a script has no settings
PAPERS = (
    Publication(slug="jinriqujiang", title="今日衢江", names=("JIN RI QU JIANG",)),
    Publication(slug="qinglan", title="青岚日报", names=("QING LAN RI BAO",)),
)
LEVELS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.01)


@dataclass(frozen=True)
class Case:
    """One issue with its truth."""

    group: str
    name: str
    files: tuple[Path, ...]
    truth: dict[str, Any]


def main(arguments: Sequence[str] = ()) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worst", type=int, default=0, help="how many of the lowest scores to explain")
    parser.add_argument(
        "--without", metavar="PATTERN", help="leave these issues out of learning, score only them"
    )
    asked = parser.parse_args(arguments)
    if not SHARED.is_dir():
        print(f"{SHARED} is not there: nothing to measure with")
        return
    cases = [c for c in _cases() if not asked.without or re.search(asked.without, c.name)]
    if asked.without:
        _learn_without(asked.without)
    scorer = _scorer()
    groups: dict[str, list[dict[str, float]]] = defaultdict(list)
    told: list[tuple[float, str, list[str]]] = []
    sure: list[tuple[float, bool]] = []
    for case in cases:
        output, source, seconds = _split(case)
        figures, why = scorer.score(case.truth, output, source)
        groups[case.group].append(figures)
        told.append((figures["score"], case.name, why))
        print(f"{case.group:8}{case.name:28}{_row(figures)}{seconds:7.2f} s", flush=True)
        if case.group.startswith("dev"):
            sure += _sureness(scorer, case.truth, output)
    print()
    for group, rows in groups.items():
        keys = dict.fromkeys(k for row in rows for k in row)
        mean = {k: sum(r[k] for r in rows if k in r) / sum(k in r for r in rows) for k in keys}
        print(f"{group:8}{'mean of ' + str(len(rows)):28}{_row(mean)}")
    print("\nconfidence  articles  right (dev, all levels)")
    for low, high in pairwise(LEVELS):
        right = [ok for confidence, ok in sure if low <= confidence < high]
        if right:
            print(f"{low:.2f}–{min(high, 1):.2f}  {len(right):8}  {sum(right) / len(right):.3f}")
    for _, name, why in sorted(told, key=lambda t: t[0])[: asked.worst]:
        print(f"\n{name}", *why, sep="\n  ")


def _cases() -> Iterator[Case]:
    for path in sorted((SHARED / "truth").glob("*.json")):
        yield Case(
            "real", path.stem, (SHARED / "sources" / f"{path.stem}.txt",), json.loads(path.read_text("utf-8"))
        )
    for path in sorted((ROOT / "samples" / "truth").glob("*.json")):
        truth = json.loads(path.read_text("utf-8"))
        named = truth["source"] if isinstance(truth["source"], list) else [truth["source"]]
        yield Case("sample", path.stem, tuple(ROOT / "samples" / name for name in named), truth)
    for path in sorted((ROOT / "tests" / "papers").glob("*.json")):
        yield Case("papers", path.stem, (path.with_suffix(".txt"),), json.loads(path.read_text("utf-8")))
    for path in sorted((SHARED / "dev" / "truth").glob("*.json"), key=lambda p: (p.stem[-2:], p.stem)):
        source = SHARED / "dev" / "sources" / f"{path.stem}.txt"
        yield Case(f"dev {path.stem[-2:]}", path.stem, (source,), json.loads(path.read_text("utf-8")))


def _split(case: Case) -> tuple[dict[str, Any], str, float]:
    document = text.read([(path.name, path.read_bytes()) for path in case.files])
    start = time.process_time()
    issue = split(document, PAPERS)
    seconds = time.process_time() - start
    return as_json(issue), "\n\n".join(s.text for s in document.sources), seconds


def _sureness(scorer: ModuleType, truth: dict[str, Any], output: dict[str, Any]) -> list[tuple[float, bool]]:
    """Confidence of each article, and whether the scorer finds it in the truth; what is ignorable does not count."""
    right = set(scorer.match(truth["articles"], output["articles"], 0.80).values())
    skip = scorer.shingles("\n".join(truth.get("ignorable") or []))
    told = []
    for n, article in enumerate(output["articles"]):
        shingles = scorer.shingles("".join([article["headline"] or "", *scorer.printed(article)]))
        if n in right or (shingles & skip).total() < 0.7 * shingles.total():
            told.append((article["confidence"], n in right))
    return told


SHORT = {
    "article_f1": "F1",
    "article_f1_strict": "strict",
    "headline": "headline",
    "furniture": "titles",
    "byline": "byline",
    "paragraphs": "paras",
    "jumps": "jumps",
    "masthead": "head",
    "conserved": "kept",
    "score": "score",
}


def _row(figures: dict[str, float]) -> str:
    return "".join(f" {short} {figures[key]:.3f}" for key, short in SHORT.items() if key in figures)


def _scorer() -> ModuleType:
    path = SHARED / "tools" / "score_split.py"
    spec = importlib.util.spec_from_file_location("score_split", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.match = lambda truth, output, floor: _match(module, truth, output, floor)  # type: ignore[attr-defined]
    return module


def _match(scorer: ModuleType, truth: Sequence[Any], output: Sequence[Any], floor: float) -> dict[int, int]:
    """The scorer's own matching, by an index of shingles instead of every pair: the same pairs, in a hundredth of the time."""
    wanted = [scorer.shingles("".join(scorer.body(a))) for a in truth]
    made = [scorer.shingles("".join(scorer.body(a))) for a in output]
    where: dict[str, list[int]] = defaultdict(list)
    for j, shingles in enumerate(made):
        for shingle in shingles:
            where[shingle].append(j)
    pairs = []
    for i, shingles in enumerate(wanted):
        shared: Counter[int] = Counter()
        for shingle, n in shingles.items():
            for j in where.get(shingle, ()):
                shared[j] += min(n, made[j][shingle])
        for j, n in shared.items():
            pairs.append((n / (shingles.total() + made[j].total() - n), i, j))
    matched: dict[int, int] = {}
    for value, i, j in sorted(pairs, reverse=True):
        if value >= floor and i not in matched and j not in matched.values():
            matched[i] = j
    return matched


def _learn_without(pattern: str) -> None:
    """Learn from the other issues, and let the split use what was learned instead of the package's files."""
    folders = [SHARED / "dev", ROOT / "samples", ROOT / "training"]
    found = [issue for issue in learn.issues(folders) if not re.search(pattern, issue[0])]
    counts = seams.read(seams.written(learn.learn_seams(found)))
    weights = tagger.read(tagger.written(learn.learn_labels(found, counts)))
    seams.packaged = lambda: counts  # type: ignore[assignment]  # a cached function by another
    tagger.packaged = lambda: weights  # type: ignore[assignment]


if __name__ == "__main__":
    main(sys.argv[1:])
