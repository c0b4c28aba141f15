"""Headlines that the print set vertically and OCR left as one character a block."""

from collections.abc import Sequence

from syndicate.split.blocks import Block
from syndicate.split.seams import Seams

_LEAST = 4
_RESTORABLE = 6
_READS = 1.2


def runs(blocks: Sequence[Block]) -> list[range]:
    """Stretches of at least four blocks of one or two characters each, mostly one."""
    found, start = [], 0
    for i in range(len(blocks) + 1):
        if i < len(blocks) and len(blocks[i].flat) <= 2 and not blocks[i].part:
            continue
        run = blocks[start:i]
        if len(run) >= _LEAST and sum(len(b.flat) == 1 for b in run) >= len(run) * 0.6:
            found.append(range(start, i))
        start = i + 1
    return found


def reads_as_headline(blocks: Sequence[Block], seams: Seams) -> bool:
    """Whether the characters of a run make a phrase, and not the remains of one."""
    said = "".join(b.flat for b in blocks)
    return len(said) >= _RESTORABLE or (len(said) >= _LEAST and seams.holds(said) > _READS)
