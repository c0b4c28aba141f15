from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import UndefinedError

from syndicate.render import templates

CATALOGS = sorted(templates.FOLDER.glob("*/*.po"))


def test_days_are_written_as_readers_write_them() -> None:
    assert templates.written_day(date(2026, 11, 16), "zh-CN") == "2026年11月16日 星期一"
    assert templates.written_day(date(2026, 11, 16), "en") == "Monday, 16 November 2026"


def test_an_address_is_percent_encoded_and_text_escaped() -> None:
    template = templates.environment("en").from_string("{{ path | url }} {{ text }}")

    assert template.render(path="/a/记者", text="<b>") == "/a/%E8%AE%B0%E8%80%85 &lt;b&gt;"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        templates.environment("en").from_string("{{ headlin }}").render()


@pytest.mark.parametrize("po", CATALOGS, ids=lambda po: f"{po.parent.name}-{po.stem}")
def test_every_translation_is_there_and_uses_only_its_placeholders(po: Path) -> None:
    with po.open("rb") as lines:
        catalog = read_po(lines, locale=po.stem)

    for message in catalog:
        if message.id:
            known = set(re.findall(r"%\(\w+\)s", str(message.id)))
            assert message.string
            assert not message.fuzzy
            assert set(re.findall(r"%\(\w+\)s", str(message.string))) <= known


@pytest.mark.parametrize("po", CATALOGS, ids=lambda po: f"{po.parent.name}-{po.stem}")
def test_every_message_of_the_templates_is_in_the_catalog(po: Path) -> None:
    with po.open("rb") as lines:
        catalog = read_po(lines, locale=po.stem)
    jinja = templates.environment("en")

    used = set()
    for template in po.parent.glob("*.*"):
        if template.suffix in (".html", ".txt", ".xml"):
            for _, call, found in jinja.extract_translations(template.read_text()):  # type: ignore[attr-defined]
                texts = (found,) if isinstance(found, str) else tuple(t for t in found if t is not None)
                used.add(texts[:2] if call == "ngettext" else texts[0])

    ids = {message.id for message in catalog}
    assert {m for m in used if m not in ids} == set()


def test_catalogs_agree_where_they_share_a_message() -> None:
    seen: dict[object, object] = {}
    for po in CATALOGS:
        with po.open("rb") as lines:
            for message in read_po(lines):
                if message.id:
                    key = (po.stem, message.context, message.id)
                    assert seen.setdefault(key, message.string) == message.string
