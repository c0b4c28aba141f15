"""Whole papers: the invented one of samples/, and the real ones beside the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from syndicate.model import Document, Publication
from syndicate.readers import text
from syndicate.render.issues import as_json
from syndicate.split import split
from tests.split.accounts import found, missing_and_invented
from tests.split.shared import shared

ROOT = Path(__file__).parents[2]
TRUTHS = sorted((ROOT / "samples" / "truth").glob("*.json"))
QINGLAN = Publication(slug="qinglan", title="青岚日报", names=("QING LAN RI BAO",))
QUJIANG = Publication(slug="jinriqujiang", title="今日衢江", names=("JIN RI QU JIANG",))
REAL = "jinriqujiang-2020-10-20-p1"


def document(truth: dict[str, Any]) -> Document:
    named = truth["source"] if isinstance(truth["source"], list) else [truth["source"]]
    return text.read([(name, (ROOT / "samples" / name).read_bytes()) for name in named])


@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.stem)
def test_the_sample_paper_comes_apart_into_its_articles(path: Path) -> None:
    truth = json.loads(path.read_text("utf-8"))
    issue = document(truth)

    output = as_json(split(issue, (QINGLAN,)))

    wanted, made, right = found(truth, output)
    assert 2 * right / (wanted + made) >= 0.8
    missing, invented = missing_and_invented("\n".join(s.text for s in issue.sources), output)
    assert not missing
    assert not invented
    for name in ("publication", "date", "weekday", "lunar_date", "number", "page_count"):
        assert output[name] == truth["issue"][name]


def test_the_page_the_project_began_from_is_right_in_every_figure() -> None:
    folder = shared("splitting")
    source = folder / "sources" / f"{REAL}.txt"
    output = json.dumps(as_json(split(text.read([(source.name, source.read_bytes())]), (QUJIANG,))))

    scored = subprocess.run(
        [
            sys.executable,
            folder / "tools" / "score_split.py",
            folder / "truth" / f"{REAL}.json",
            "-",
            "--source",
            source,
        ],
        input=output,
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(json.loads(scored.stdout).values()) == {1.0}


@pytest.mark.parametrize("level", ["L0", "L1", "L2"])
def test_a_real_issue_is_accounted_for_to_the_last_character(level: str) -> None:
    source = shared(f"splitting/dev/sources/rmrb_2026-05-30.{level}.txt").read_bytes()

    output = as_json(split(text.read([("issue.txt", source)])))

    missing, invented = missing_and_invented(source.decode(), output)
    assert not missing
    assert not invented
