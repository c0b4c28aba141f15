"""Reading what comes back: our reader against flufl.bounce alone, on collections of real bounces that lie beside.

    python -m bench.bounces                     the collection under $SYNDICATE_SHARED/hostile/bounce-flufl
    python -m bench.bounces FOLDER TRUTH.tsv    another one

A line of TRUTH, parted by tabs: file name; what a person reads in it; the status (RFC 3463), where the text gives one.
What a person reads: hard (the address is gone), soft (it failed for another reason), unsaid (it failed, and the text
gives no reason: as good as soft), complaint, nothing (a delay, or no report at all).

Each mail is given the envelope recipient that it would have had, as our mail server gives it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Mapping
from email import message_from_bytes
from pathlib import Path
from typing import NamedTuple

from flufl.bounce import all_failures

from syndicate.deliver.tokens import Tokens
from syndicate.model import BounceKind, Report
from syndicate.readers import reports

FLUFL = Path(__file__).with_name("bounces-flufl.tsv")  # read by a person, one mail after the other
TOKENS = Tokens("bench")


class Meant(NamedTuple):
    """What a person reads in a mail."""

    word: str
    status: str | None


def main(*words: str) -> None:
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    if words:
        measure(Path(words[0]), truth(Path(words[1])))
        return
    beside = Path(os.environ.get("SYNDICATE_SHARED", "../shared"))  # noqa: TID251  # where collections lie
    folder = beside / "hostile" / "bounce-flufl"
    if folder.is_dir():
        measure(folder, truth(FLUFL))
    else:
        print(f"bounces: no collection under {folder}")


def truth(file: Path) -> dict[str, Meant]:
    """What is told of each mail of a collection."""
    lines = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: Meant(word, status[0] if status else None) for name, word, *status in lines}


def read(folder: Path, names: Mapping[str, object]) -> dict[str, Report]:
    """Each mail as our reader reads it."""
    return {name: reports.read(_delivered((folder / name).read_bytes(), n)) for n, name in _numbered(names)}


def hard_ones(told: Mapping[str, Meant], found: Mapping[str, Report]) -> tuple[list[str], list[str]]:
    """The hard ones that were taken for hard with a status, the one of the text where it gives one; the others."""
    names = [name for name, meant in told.items() if meant.word == "hard"]
    right = [name for name in names if _is_right(told[name], found[name])]
    return right, sorted({*names} - {*right})


def removed(told: Mapping[str, Meant], found: Mapping[str, Report]) -> list[str]:
    """Mails that would end a subscription though the address is not gone."""
    ends = (BounceKind.HARD, BounceKind.COMPLAINT)
    return [
        n for n, meant in told.items() if meant.word not in ("hard", "complaint") and found[n].kind in ends
    ]


def measure(folder: Path, told: Mapping[str, Meant]) -> None:
    """Print how each kind is taken, by us and by the peer."""
    found = read(folder, told)
    ours = Counter((meant.word, _word(found[name])) for name, meant in told.items())
    theirs = Counter((meant.word, _peer((folder / name).read_bytes())) for name, meant in told.items())
    known = sum(_known(found[name], number) for number, name in _numbered(told))
    print(f"{folder}: {len(told)} mails")
    print(f"  address known: ours {known / len(told):.1%}, flufl.bounce {_found(theirs) / len(told):.1%}")
    for word in dict.fromkeys(meant.word for meant in told.values()):
        print(f"  {word:<10} ours: {_row(ours, word)};  flufl.bounce: {_row(theirs, word)}")
    right, wrong = hard_ones(told, found)
    if right or wrong:
        part = len(right) / len(right + wrong)
        print(f"  hard ones taken for hard, with the status: {part:.1%}; not: {' '.join(wrong) or 'none'}")
    print(f"  removed though not gone: {' '.join(removed(told, found)) or 'nobody'}")


def _is_right(meant: Meant, report: Report) -> bool:
    wanted = meant.status or report.status
    return report.kind is BounceKind.HARD and wanted is not None and report.status == wanted


def _known(report: Report, number: int) -> bool:
    return number in map(TOKENS.returned, (*report.sent_to, *report.quoted))


def _numbered(names: Mapping[str, object]) -> list[tuple[int, str]]:
    return list(enumerate(sorted(names), 1))


def _delivered(raw: bytes, number: int) -> bytes:
    head = f"Delivered-To: {TOKENS.return_path('bounces@paper.example', number)}"
    start = raw.index(b"\n") + 1 if raw.startswith(b"From ") and b"\n" in raw else 0
    return head.encode() + (b"\r\n" if b"\r\n" in raw else b"\n") + raw[start:]


def _word(report: Report) -> str:
    if report.kind:
        return report.kind.value
    return "nothing" if report.understood else "not understood"


def _peer(raw: bytes) -> str:
    try:
        temporary, permanent = all_failures(message_from_bytes(raw))
    except (LookupError, ValueError, TypeError, AttributeError):
        return "fault"
    return "permanent" if permanent else "temporary" if temporary else "no address"


def _found(theirs: Counter[tuple[str, str]]) -> int:
    return sum(count for (_, word), count in theirs.items() if word in ("permanent", "temporary"))


def _row(counted: Counter[tuple[str, str]], meaning: str) -> str:
    return ", ".join(f"{word} {count}" for (m, word), count in sorted(counted.items()) if m == meaning)


if __name__ == "__main__":
    main(*sys.argv[1:])
