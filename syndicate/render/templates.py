"""The Jinja environment for pages and mail: strict, escaping, in the reader's language."""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

LANGUAGES = ("zh-CN", "en")  # the first is the default

FOLDER = Path(__file__).resolve().parents[2] / "templates"

# CLDR's full dates are 2026年11月16日星期一 and Monday, November 16, 2026: papers write them otherwise.
_DAY = {"zh": "y年M月d日 EEEE", "en": "EEEE, d MMMM y"}
_SHORT_DAY = {"zh": "M月d日", "en": "d MMMM"}


@cache
def environment(language: str) -> Environment:
    """The environment for readers of `language`; shared, so hand values to render() and leave it as it is.

    Names are paths in templates/: web/front.html, email/digest.txt. Only .html and .xml are escaped.
    """
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html", "xml"), default_for_string=True),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.policies["ext.i18n.trimmed"] = True
    translations = _translations(language)
    made.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    made.filters["day"] = lambda day: written_day(day, language)
    made.filters["short_day"] = lambda day: written_short_day(day, language)
    made.filters["url"] = quote
    made.globals["language"] = language
    return made


@lru_cache(256)
def written_day(day: date, language: str) -> str:
    """A date as readers of that language write it: 2026年11月16日 星期一."""
    locale = Locale.parse(language, sep="-")
    return format_date(day, _DAY.get(locale.language, "full"), locale=locale)


@lru_cache(256)
def written_short_day(day: date, language: str) -> str:
    """A date without year and weekday: 11月16日."""
    locale = Locale.parse(language, sep="-")
    return format_date(day, _SHORT_DAY.get(locale.language, "medium"), locale=locale)


def _translations(language: str) -> Translations:
    """The catalogs of web and email as one; the messages themselves are English."""
    locale = Locale.parse(language, sep="-")
    catalog = Catalog(locale=locale)  # knows the language's plural forms
    for po in sorted(FOLDER.glob(f"*/{language.replace('-', '_')}.po")):
        with po.open("rb") as lines:
            for message in read_po(lines, locale=locale):
                if message.id:
                    catalog[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)
