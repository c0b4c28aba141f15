"""How the labeller's weights are learned: gradient ascent on the likelihood of the labels of whole pages.

Only learning needs this module, and numpy; the labeller itself (tagger.py) is plain Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syndicate.split.tagger import LABELS, Weights

_N = len(LABELS)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Page:
    """One page in numbers: the features of its units one after the other, and where each unit's begin."""

    features: Ints
    counts: Ints
    glued: Sequence[bool]
    labels: Ints


class Learner:
    """AdaGrad: each weight has its own step, the smaller the more it has moved.

    Every time a page is read, some of the features are overlooked: no habit of one paper may decide alone.
    """

    def __init__(
        self, names: dict[str, int], rate: float = 0.1, shrink: float = 4.0, overlooked: float = 0.2
    ) -> None:
        """`names` are the features that may vote, and how often each was seen: the rarer, the less it may say."""
        self.place = {name: n for n, name in enumerate(names)}
        self._votes = np.zeros((len(names) + 1, _N))  # the last row is nobody's
        self._moved = np.ones((len(names) + 1, _N))
        self._decay = np.array([shrink / times for times in names.values()] + [0.0])[:, None]
        self._steps = np.zeros((2, _N, _N))
        self._stepped = np.ones((2, _N, _N))
        self._rate, self._overlooked = rate, overlooked
        self._chance = np.random.Generator(np.random.PCG64(7))
        self._kept_votes = np.zeros_like(self._votes)
        self._kept_steps = np.zeros_like(self._steps)
        self._kept = 0

    def page(self, units: Sequence[Sequence[str]], glued: Sequence[bool], labels: Sequence[int]) -> Page:
        """A page in numbers; features that may not vote are left out."""
        known = [[self.place[name] for name in unit if name in self.place] or [-1] for unit in units]
        return Page(
            np.array([n for unit in known for n in unit]),
            np.array([len(unit) for unit in known]),
            glued,
            np.array(labels),
        )

    def learn(self, page: Page) -> None:
        """One step towards the labels of one page."""
        overlooked = self._chance.random(len(page.features)) < self._overlooked
        features = np.where(overlooked, -1, page.features)
        starts = np.concatenate(([0], np.cumsum(page.counts)[:-1]))
        scores = np.add.reduceat(self._votes[features], starts, axis=0)
        chances, slopes = self._expected(scores, page)
        wanted = np.zeros_like(chances)
        wanted[np.arange(len(wanted)), page.labels] = 1.0
        self._vote(features, np.repeat(wanted - chances, page.counts, axis=0))
        self._stepped += slopes * slopes
        self._steps += self._rate * slopes / np.sqrt(self._stepped)

    def _expected(self, scores: Floats, page: Page) -> tuple[Floats, Floats]:
        """The probability of every label of every unit, and how each move should change."""
        local = np.exp(scores - scores.max(axis=1, keepdims=True))
        steps = np.exp(self._steps)
        n = len(local)
        forward = np.empty_like(local)
        forward[0] = local[0] / local[0].sum()
        for i in range(1, n):
            row = (forward[i - 1] @ steps[int(page.glued[i])]) * local[i]
            forward[i] = row / row.sum()
        chances = np.empty_like(local)
        slopes = np.zeros_like(self._steps)
        after = np.ones(_N)
        for i in range(n - 1, -1, -1):
            both = forward[i] * after
            chances[i] = both / both.sum()
            if i:
                kind = int(page.glued[i])
                ahead = local[i] * after
                joint = forward[i - 1][:, None] * steps[kind] * ahead
                slopes[kind] -= joint / joint.sum()
                slopes[kind, page.labels[i - 1], page.labels[i]] += 1.0
                after = steps[kind] @ ahead
                after /= after.sum()
        return chances, slopes

    def _vote(self, features: Ints, slopes: Floats) -> None:
        order = np.argsort(features, kind="stable")
        ordered = features[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        touched = ordered[starts]
        times = np.diff(np.concatenate((starts, [len(ordered)])))[:, None]
        change = np.add.reduceat(slopes[order], starts, axis=0)
        if touched[0] == -1:
            touched, change, times = touched[1:], change[1:], times[1:]
        change -= self._decay[touched] * self._votes[touched] * times
        self._moved[touched] += change * change
        self._votes[touched] += self._rate * change / np.sqrt(self._moved[touched])

    def keep(self) -> None:
        """Remember the weights as they are now, for their mean."""
        self._kept_votes += self._votes
        self._kept_steps += self._steps
        self._kept += 1

    def mean(self) -> Weights:
        """The mean of the weights that were kept: what the last page said weighs no more than the others."""
        votes = self._kept_votes / self._kept
        return Weights(
            {name: votes[n].tolist() for name, n in self.place.items()},
            (self._kept_steps / self._kept).tolist(),
        )
