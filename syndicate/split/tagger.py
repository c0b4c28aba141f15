"""A linear-chain labeller: features in, labels with their probabilities out.

A conditional random field, small enough to read: each feature votes for labels, each pair of
neighbours for a transition. Its weights are lines of text in `labels.tsv`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources


class Label(StrEnum):
    """What a unit of a page may be."""

    KICKER = "kicker"
    HEADLINE = "headline"
    SUBHEAD = "subhead"
    MORE = "more"  # the title line before goes on
    BYLINE = "byline"
    LEAD = "lead"  # a paragraph that opens an article whose headline the print lost
    BODY = "body"
    CONT = "cont"  # the paragraph before goes on
    HEADING = "heading"  # inside an article
    FURNITURE = "furniture"


LABELS = tuple(Label)
_N = len(LABELS)
_NEVER = -60.0  # the vote against a label that the trade's rules bar
_SLIGHT = 0.08  # a vote below it is not worth a line
_RANGE = range(_N)
Features = Sequence[str]


@dataclass(frozen=True)
class Tagged:
    """One unit's label, how sure the labeller is, and what spoke for it."""

    label: Label
    probability: float
    reasons: tuple[str, ...] = ()


@dataclass
class Weights:
    """Votes of features for labels; `moves[kind][before][after]`, kind 1 inside one printed block."""

    votes: dict[str, list[float]] = field(default_factory=dict)
    moves: list[list[list[float]]] = field(
        default_factory=lambda: [[[0.0] * _N for _ in _RANGE] for _ in range(2)]
    )

    def scores(self, features: Features) -> list[float]:
        """The sum of the votes for each label."""
        total = [0.0] * _N
        votes = self.votes
        for name in features:
            vote = votes.get(name)
            if vote is not None:
                total = [a + b for a, b in zip(total, vote, strict=True)]
        return total


def tag(
    weights: Weights,
    units: Sequence[Features],
    glued: Sequence[bool],
    barred: Sequence[frozenset[Label]],
    *,
    why: bool = False,
) -> list[Tagged]:
    """The best label sequence without a barred label, each label with its marginal probability."""
    if not units:
        return []
    scores = [
        [
            _NEVER if label in no else score
            for label, score in zip(LABELS, weights.scores(features), strict=True)
        ]
        for features, no in zip(units, barred, strict=True)
    ]
    best = _viterbi(weights, scores, glued)
    chances = marginals(weights, scores, glued)
    return [
        Tagged(
            LABELS[label],
            chances[i][label],
            _reasons(weights, units[i], label) if why else (),
        )
        for i, label in enumerate(best)
    ]


def _reasons(weights: Weights, features: Features, label: int) -> tuple[str, ...]:
    """The five features that spoke loudest for the label."""
    spoke = [(weights.votes[f][label], f) for f in features if f in weights.votes]
    return tuple(
        f"{name} {vote:+.1f}" for vote, name in sorted(spoke, key=lambda s: (-s[0], s[1]))[:5] if vote > 0
    )


def _viterbi(weights: Weights, scores: list[list[float]], glued: Sequence[bool]) -> list[int]:
    row = scores[0]
    back: list[list[int]] = []
    for i in range(1, len(scores)):
        moves = weights.moves[glued[i]]
        step, now = [], []
        for b in _RANGE:
            a = max(_RANGE, key=lambda a: row[a] + moves[a][b])
            step.append(a)
            now.append(row[a] + moves[a][b] + scores[i][b])
        back.append(step)
        row = now
    best = [max(_RANGE, key=row.__getitem__)]
    for step in reversed(back):
        best.append(step[best[-1]])
    return best[::-1]


def marginals(weights: Weights, scores: list[list[float]], glued: Sequence[bool]) -> list[list[float]]:
    """The probability of every label at every place, by scaled forward and backward sums."""
    steps = [[[math.exp(v) for v in row] for row in moves] for moves in weights.moves]
    turned = [[list(column) for column in zip(*step, strict=True)] for step in steps]
    local = []
    for row in scores:
        top = max(row)
        local.append([math.exp(v - top) for v in row])
    forward = [_unit(local[0])]
    for i in range(1, len(local)):
        before = forward[-1]
        forward.append(
            _unit(
                [
                    sum([a * m for a, m in zip(before, column, strict=True)]) * own
                    for column, own in zip(turned[glued[i]], local[i], strict=True)
                ]
            )
        )
    after = [1.0] * _N
    chances: list[list[float]] = [[]] * len(local)
    for i in range(len(local) - 1, -1, -1):
        chances[i] = _unit([f * b for f, b in zip(forward[i], after, strict=True)])
        if i:
            ahead = [own * b for own, b in zip(local[i], after, strict=True)]
            after = _unit([sum([m * h for m, h in zip(row, ahead, strict=True)]) for row in steps[glued[i]]])
    return chances


def _unit(row: list[float]) -> list[float]:
    total = sum(row) or 1.0
    return [v / total for v in row]


# ── the packaged weights ─────────────────────────────────────────────────────────────────


def written(weights: Weights) -> str:
    """The weights as lines of text: a feature, then its vote for each label that it votes for."""
    lines = []
    for kind, moves in enumerate(weights.moves):
        for a, row in zip(LABELS, moves, strict=True):
            lines.append(f"> {kind} {a}\t{_votes(row)}")
    for name, vote in sorted(weights.votes.items()):
        if shown := _votes(vote):
            lines.append(f"{name}\t{shown}")
    return "\n".join(lines) + "\n"


def _votes(row: list[float]) -> str:
    return " ".join(f"{label}:{v:.2f}" for label, v in zip(LABELS, row, strict=True) if abs(v) >= _SLIGHT)


def read(lines: str) -> Weights:
    """The weights as `written` wrote them."""
    weights = Weights()
    place = {str(label): n for n, label in enumerate(LABELS)}
    for line in lines.split("\n"):
        name, tab, votes = line.rpartition("\t")
        if not tab:
            continue
        row = [0.0] * _N
        for item in votes.split():
            label, _, value = item.partition(":")
            row[place[label]] = float(value)
        if name.startswith("> "):
            _, kind, before = name.split(" ")
            weights.moves[int(kind)][place[before]] = row
        else:
            weights.votes[name] = row
    return weights


@cache
def packaged() -> Weights:
    """The weights that come with the package."""
    return read(resources.files("syndicate.split").joinpath("labels.tsv").read_text("utf-8"))
