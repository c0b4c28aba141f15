"""Every kind of damage with the issue that was made of it: one small invented page each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syndicate.model import Publication, Section
from syndicate.readers import text
from syndicate.render.issues import as_json
from syndicate.split import split
from tests.golden import Golden
from tests.split.accounts import missing_and_invented

FOLDER = Path(__file__).parents[1] / "golden" / "issues"
PAGES = sorted(FOLDER.glob("*.txt"))
PAPER = Publication(
    slug="qinglan",
    title="青岚日报",
    names=("QING LAN RI BAO",),
    sections=(Section("yaowen", "要闻", pages=(1,)), Section("zonghe", "综合")),
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_with_this_damage_splits_as_a_person_read_it(page: Path, golden: Golden) -> None:
    source = page.read_bytes()

    output = as_json(split(text.read([(page.name, source)]), (PAPER,)))

    missing, invented = missing_and_invented(source.decode(), output)
    assert not missing
    assert not invented
    for article in output["articles"]:
        del article["confidence"]  # it changes whenever something is learned
    golden(f"issues/{page.stem}.json", (json.dumps(output, ensure_ascii=False, indent=1) + "\n").encode())
