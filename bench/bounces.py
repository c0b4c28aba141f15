"""Reading what comes back: our reader against flufl.bounce alone, on collections of real bounces that lie beside.

    python -m bench.bounces                     the collection under $SYNDICATE_SHARED/hostile/bounce-flufl
    python -m bench.bounces FOLDER TRUTH.tsv    another one; a line of TRUTH: file name, tab, what it is
                                                (hard, soft, complaint, nothing; other words are counted apart)

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

from flufl.bounce import all_failures

from syndicate.deliver.tokens import Tokens
from syndicate.model import Report
from syndicate.readers import reports

# Warnings in flufl.bounce's collection: its own tests call them temporary.
WARNINGS = {"simple_03", "simple_21", "simple_22", "simple_28", "simple_35"}
WARNINGS |= {"dsn_05", "dsn_06", "dsn_07", "dsn_08", "dsn_17"}
TOKENS = Tokens("bench")


def main(*words: str) -> None:
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    if words:
        folder, told = Path(words[0]), Path(words[1]).read_text(encoding="utf-8")
        lines = (line.split("\t") for line in told.splitlines())
        measure(folder, {folder / name: meaning for name, meaning in lines})
        return
    beside = Path(os.environ.get("SYNDICATE_SHARED", "../shared"))  # noqa: TID251  # where collections lie
    mails = sorted((beside / "hostile" / "bounce-flufl").glob("*_[0-9]*.txt"))
    if not mails:
        print(f"bounces: no collection under {beside}/hostile/bounce-flufl")
        return
    measure(mails[0].parent, {m: "warning" if m.stem in WARNINGS else "permanent" for m in mails})


def measure(folder: Path, truth: Mapping[Path, str]) -> None:
    """Print how each kind is taken, by us and by the peer."""
    ours: Counter[tuple[str, str]] = Counter()
    theirs: Counter[tuple[str, str]] = Counter()
    known = with_status = 0
    for number, (file, meaning) in enumerate(sorted(truth.items()), 1):
        raw = file.read_bytes()
        report = reports.read(_delivered(raw, number))
        known += number in map(TOKENS.returned, (*report.sent_to, *report.quoted))
        ours[meaning, _word(report)] += 1
        with_status += meaning == "hard" and _word(report) == "hard" and report.status is not None
        theirs[meaning, _peer(raw)] += 1
    print(f"{folder}: {len(truth)} mails")
    print(f"  address known: ours {known / len(truth):.1%}, flufl.bounce {_found(theirs) / len(truth):.1%}")
    for meaning in dict.fromkeys(truth.values()):
        print(f"  {meaning:<10} ours: {_row(ours, meaning)};  flufl.bounce: {_row(theirs, meaning)}")
    if hard := sum(count for (meaning, _), count in ours.items() if meaning == "hard"):
        print(f"  hard ones taken for hard, with a status: {with_status / hard:.1%}")


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
