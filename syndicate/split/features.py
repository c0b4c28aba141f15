"""What can be seen of a unit on its page: the features the labeller votes by, in plain sight."""

from collections.abc import Iterator, Sequence

from syndicate.split import house, text
from syndicate.split.blocks import Block
from syndicate.split.looks import Look, look
from syndicate.split.seams import Seams

_EDGE = "edge"
_STEPS = (0.02, 0.12, 0.25, 0.4, 0.6)
_ODDS = (-4.0, -2.0, -0.5, 0.5, 2.0, 4.0)


def features_of(units: Sequence[Block], seams: Seams, lost: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The features of every unit of one page; `lost` are the headlines found scattered on it."""
    looks = [look(unit) for unit in units]
    rare = [frozenset(pair for pair in seen.grams if seams.is_rare(pair)) for seen in looks]
    lost_grams = [_grams(headline) for headline in lost]
    widths = _widths(looks)
    signs = _signs(looks)
    habits = house.habits(looks)
    print_ = "column" if any(seen.block.width for seen in looks) else "clean"
    seen = [
        (
            *looks[i].features,
            *_around(looks, i),
            *_seam(looks, i, seams),
            *_width(looks[i], widths, i),
            *_echo(looks, i, lost_grams),
            *_subject(looks, rare, i),
            *_siblings(looks, i),
            *signs[i],
            *habits[i],
            *_titles(looks, i),
            f"{print_} part {min(looks[i].block.part, 1)}",
        )
        for i in range(len(looks))
    ]
    if _is_latin(units):  # another trade: its lines are measured, and begin and end, in other ways
        return [tuple(f"latin {name}" for name in names) for names in seen]
    return seen


def _is_latin(units: Sequence[Block]) -> bool:
    """Whether a page is printed in a script without Chinese characters."""
    flat = "".join(unit.flat[:80] for unit in units)
    return sum(map(text.is_han, flat)) * 10 < len(flat)


_STRANGE = (0.01, 0.03, 0.055, 0.085, 0.13, 0.2)
_WINDOW = 160  # rare pairs on either side


def _subject(looks: Sequence[Look], rare: Sequence[frozenset[str]], i: int) -> tuple[str, ...]:
    """Whether the texts above and below speak of the same: a new article brings new words."""
    above = _words(looks, rare, range(i - 1, max(-1, i - 12), -1))
    own = looks[i].size >= 6
    below = _words(looks, rare, range(i if own else i + 1, min(len(looks), i + 12)))
    if len(above) < 20 or len(below) < 20:
        return ("subject unknown",)
    shared = len(above & below) / (min(len(above), len(below)) + 5)
    level = sum(shared > step for step in _STRANGE)
    shape = looks[i].shape
    size = min(looks[i].size, 6)
    return (f"subject {level}", f"subject {level} {shape}", f"subject {level} size {size}")


def _words(looks: Sequence[Look], rare: Sequence[frozenset[str]], where: range) -> set[str]:
    found: set[str] = set()
    for at in where:
        if looks[at].size >= 5:
            found |= rare[at]
            if len(found) >= _WINDOW:
                break
    return found


_SHORT_SHAPES = frozenset(("line", "line-spaced", "long-line", "tiny", "titled", "announce", "list", "names"))


def _siblings(looks: Sequence[Look], i: int) -> tuple[str, ...]:
    """Inner headings come in families: as long as each other, between texts."""
    own = looks[i]
    if own.shape not in _SHORT_SHAPES or own.block.part:
        return ()
    found = []
    for step, name in ((-1, "above"), (1, "below")):
        between = 0
        kin = "none"
        for at in range(i + step, max(-1, min(len(looks), i + step * 16)), step):
            other = looks[at]
            if other.shape in ("byline", "wire", "by-word", "imprint"):
                break
            if other.block.part:
                continue
            if other.shape in _SHORT_SHAPES and between:
                apart = abs(len(other.flat) - len(own.flat))
                spaced = (" " in other.block.line) == (" " in own.block.line)
                kin = f"{'same' if apart == 0 else 'near' if apart <= 2 else 'other'} {'alike' if spaced else 'unlike'}"
                break
            between += other.size >= 5
        found.append(f"kin {name} {kin}")
        found.append(f"kin {name} {kin} {own.shape}")
    return (*found, " ".join(found[::2]))


_TITLE_SHAPES = _SHORT_SHAPES | {"dash", "sentence", "label"}


def _titles(looks: Sequence[Look], i: int) -> tuple[str, ...]:
    """A title line beside its neighbours: which is longer, and which says more of the text below."""
    own = looks[i]
    if own.shape not in _TITLE_SHAPES or own.size > 6:
        return ()
    found = []
    for at, name in ((i - 1, "above"), (i + 1, "below")):
        if not 0 <= at < len(looks) or looks[at].shape not in _TITLE_SHAPES or looks[at].size > 6:
            found.append(f"title {name} none")
            continue
        other = looks[at]
        longer = len(own.flat) - len(other.flat)
        step = "longer" if longer > 4 else "shorter" if longer < -4 else "equal"
        glue = "=" if looks[max(at, i)].block.part else ""
        marks = "".join(sorted({"," if own.commas else "", "," * 2 if other.commas else ""}))
        found += [
            f"title {name} {glue}{step}",
            f"title {name} {glue}{step} {own.shape} {other.shape}",
            f"title {name} {glue}{step} {marks}",
        ]
        below = _share(own.grams, looks, range(i + 1, i + 6)) if own.grams else 0.0
        others = _share(other.grams, looks, range(i + 1, i + 6)) if other.grams else 0.0
        found.append(
            f"title {name} {glue}{step} says {'more' if below > others + 0.1 else 'less' if below < others - 0.1 else 'same'}"
        )
    return tuple(found)


_SIGNS = frozenset(("wire", "byline", "by-word", "names", "note"))


def _signs(looks: Sequence[Look]) -> list[tuple[str, ...]]:
    """How far it is from the last sign that an article began, and to the next."""
    since, far = [], 99
    for seen in looks:
        since.append(far)
        far = 0 if seen.shape in _SIGNS else far + 1
    until, far = [], 99
    for seen in reversed(looks):
        until.append(far)
        far = 0 if seen.shape in _SIGNS else far + 1
    until.reverse()
    return [
        (
            f"since {_far(a)} {min(seen.size, 6)}",
            f"until {_far(b)} {min(seen.size, 6)}",
            f"between {_far(a)} {_far(b)} {seen.shape}",
        )
        for a, b, seen in zip(since, until, looks, strict=True)
    ]


def _far(n: int) -> str:
    return str(n) if n < 3 else "some" if n < 6 else "many" if n < 99 else "none"


def _around(looks: Sequence[Look], i: int) -> tuple[str, ...]:
    """The shapes of the neighbours; the pieces of another block count as one."""
    before = [shape for _, shape in zip(range(2), _shapes(looks, i, -1), strict=False)]
    after = [shape for _, shape in zip(range(2), _shapes(looks, i, 1), strict=False)]
    p, pp = (*before, _EDGE, _EDGE)[:2]
    n, nn = (*after, _EDGE, _EDGE)[:2]
    own, size = looks[i].shape, looks[i].size
    return (
        f"before {p}",
        f"before2 {pp} {p}",
        f"after {n}",
        f"after2 {n} {nn}",
        f"{p} . {own}",
        f"{own} . {n}",
        f"{p} . {own} . {n}",
        f"{own} . {n} . {nn}",
        f"{pp} . {p} . {own}",
        f"size {size} after {n}",
        f"size {size} before {p}",
        *_twins(looks, i),
    )


def _shapes(looks: Sequence[Look], i: int, step: int) -> Iterator[str]:
    """Shapes from a unit on, nearest first: pieces of its own block one by one, other blocks as a whole."""
    own = looks[i].block.whole
    at = i + step
    while 0 <= at < len(looks):
        seen = looks[at]
        whole = seen.block.whole
        if whole is None:
            yield seen.shape
        elif whole is own:
            yield f"={seen.shape}"
        else:
            yield seen.whole_shape if step > 0 else f"[{seen.shape}"
            while 0 <= at + step < len(looks) and looks[at + step].block.whole is whole:
                at += step
        at += step


def _twins(looks: Sequence[Look], i: int) -> tuple[str, ...]:
    """Phrases of equal length in one block make one line of title."""
    found = []
    for step, name in ((-1, "before"), (1, "after")):
        at = i + step
        if (
            0 <= at < len(looks)
            and looks[at].block.whole is not None
            and looks[at].block.whole is looks[i].block.whole
        ):
            apart = abs(len(looks[at].flat) - len(looks[i].flat))
            found.append(f"twin {name} {min(apart, 6) // 2 if apart > 1 else apart}")
            found.append(
                f"twin {name} {'equal' if not apart else 'near' if apart < 3 else 'other'} {looks[i].size}"
            )
    return tuple(found)


def _seam(looks: Sequence[Look], i: int, seams: Seams) -> tuple[str, ...]:
    """Whether the text before goes on here."""
    if not i:
        return ("first", *_goes_on(looks, i, seams))
    before, own = looks[i - 1], looks[i]
    odds = seams.joins(before.flat[-1:], own.flat[:3])
    level = sum(odds > step for step in _ODDS)
    state = "open" if before.open else "shut"
    long = "long" if before.size >= 6 else "short"
    rows = before.block.rows
    width = before.block.width
    full = "none" if not width else "full" if rows[-1] >= width - 1 else "ragged"
    glue = "=" if own.block.part else ""
    return (
        f"seam {glue}{state} {level}",
        f"seam {glue}{state} {long} {level} {full}",
        f"row {full} {before.ends}",
        f"seam {glue}{before.ends} {level}",
        f"seam {glue}{state} {long} own {own.shape}",
        f"seam {glue}{state} opener {own.opener}",
        f"seam {glue}{state} opener {own.opener} {level}",
        *_goes_on(looks, i, seams),
    )


def _goes_on(looks: Sequence[Look], i: int, seams: Seams) -> tuple[str, ...]:
    """Whether a unit without an end goes on in the next one: then it is no heading."""
    own = looks[i]
    if not own.open or i + 1 == len(looks):
        return ()
    below = looks[i + 1]
    level = sum(seams.joins(own.flat[-1:], below.flat[:3]) > step for step in _ODDS)
    glue = "=" if below.block.part else ""
    return (
        f"on {glue}{level}",
        f"on {glue}{level} {own.shape}",
        f"on {glue}{level} {below.shape}",
        f"on {glue}{below.opener} {own.ends} {min(own.size, 6)}",
    )


def _widths(looks: Sequence[Look]) -> list[tuple[int, int]]:
    """For every unit the column width of the last wrapped block before it and of the next one from it."""
    last, before = 0, []
    for seen in looks:
        before.append(last)
        last = seen.block.width or last
    following, after = 0, []
    for seen in reversed(looks):
        following = seen.block.width or following
        after.append(following)
    return list(zip(before, reversed(after), strict=True))


def _width(seen: Look, widths: Sequence[tuple[int, int]], i: int) -> tuple[str, ...]:
    before, after = widths[i]
    if not before or not after:
        return ("column none",)
    change = abs(before - after)
    found = [f"column {'same' if change <= 1 else 'near' if change == 2 else 'other'}"]
    if len(seen.block.rows) == 1 and seen.block.whole is None:  # a heading rarely fills its line
        apart = min(abs(len(seen.block.line) - before), abs(len(seen.block.line) - after))
        fill = "exact" if not apart else "about" if apart == 1 else "other"
        found += [f"lone row {fill} {seen.shape}", f"lone row {fill} {seen.ends}"]
    return tuple(found)


def _echo(looks: Sequence[Look], i: int, lost: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """A headline's words come again below it and were not said above it."""
    own = looks[i]
    found = []
    if own.size <= 6 and len(own.grams) >= 2:
        below, above = (
            _share(own.grams, looks, range(i + 1, i + 5)),
            _share(own.grams, looks, range(i - 1, i - 5, -1)),
        )
        b, a = sum(below > s for s in _STEPS), sum(above > s for s in _STEPS)
        found += [f"echo below {b}", f"echo above {a}", f"echo {b} {a}"]
    if lost and own.size >= 4:
        best = max(len(h & own.grams) / max(1, len(h)) for h in lost)
        before = (
            max(max(len(h & looks[j].grams) / max(1, len(h)) for h in lost) for j in range(max(0, i - 2), i))
            if i
            else 0.0
        )
        found += [
            f"lost {sum(best > s for s in _STEPS)}",
            f"lost {sum(best > s for s in _STEPS)} {sum(before > s for s in _STEPS)} {own.shape}",
        ]
    return tuple(found)


def _share(grams: frozenset[str], looks: Sequence[Look], where: range) -> float:
    """How many of the pairs are found in the texts of that stretch, the nearest four hundred characters of each."""
    seen: set[str] = set()
    for at in where:
        if 0 <= at < len(looks) and looks[at].size >= 5:
            seen |= grams & looks[at].grams
    return len(seen) / len(grams)


def _grams(string: str) -> frozenset[str]:
    han = "".join(c for c in text.flat(string) if text.is_han(c) or c.isdigit())
    return frozenset(han[i : i + 2] for i in range(len(han) - 1))
