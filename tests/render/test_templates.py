from __future__ import annotations

from datetime import date

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


@pytest.mark.parametrize("po", CATALOGS, ids=lambda po: "/".join(po.parts[-2:]))
def test_every_message_is_translated_with_its_placeholders(po: object) -> None:
    with po.open("rb") as lines:  # type: ignore[attr-defined]
        catalog = read_po(lines, locale=po.stem)  # type: ignore[attr-defined]

    for message in catalog:
        if message.id:
            assert message.string
            assert not message.fuzzy
            assert not list(message.check(catalog)), message.id


def test_catalogs_agree_where_they_share_a_message() -> None:
    seen: dict[object, object] = {}
    for po in CATALOGS:
        with po.open("rb") as lines:
            for message in read_po(lines):
                if message.id:
                    key = (po.stem, message.context, message.id)
                    assert seen.setdefault(key, message.string) == message.string
