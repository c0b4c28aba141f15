"""Search: every run of Han characters is found in part, and no query means anything but its words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, text

from syndicate import store
from syndicate.model import Article, Byline, Entry, Kind, Part, address_part
from syndicate.store import entries, search
from syndicate.store.tables import searchable
from tests.render import hostile
from tests.samples import DAY, MINUTE, NOW, PAPER, article, ingest, issue, photo

SLUG = PAPER.slug
PRINTED = {"headline": "油茶林里话丰收", "paragraphs": ("２０２６年，衢江区召开乡村振兴现场会。",)}


@pytest.fixture
def paper(engine: Engine) -> Engine:
    """A database with an issue of three articles, the first of them known by heart."""
    ingest(engine, issue(article(1, **PRINTED), article(2), article(3, page=2, section="zonghe")))
    return engine


def found(engine: Engine, words: str, **filters: object) -> list[str]:
    """The headlines that a search finds; it counts as many."""
    with store.reading(engine) as db:
        hits = search.find(db, SLUG, words, limit=99, **filters)  # type: ignore[arg-type]  # the test knows
        assert search.count(db, SLUG, words, **filters) == len(hits)  # type: ignore[arg-type]
    return [str(entry.article.headline) for entry in hits]


@pytest.mark.parametrize(
    "words",
    [
        *("油茶", "油茶林", "茶林里话丰", "衢江", "乡村振兴", "现场会", "油", "收", "会", "年"),
        *("2026", "２０２６年", "2026年", "衢江 油茶", "油茶\u3000现场会", "油茶，衢江", "油茶、丰收"),
        *('"油茶林里"', "“2026年，衢江”", "「油茶」 丰收", '"2026年', "油茶，", "《油茶林里话丰收》"),
    ],
)
def test_words_are_found(paper: Engine, words: str) -> None:
    assert found(paper, words) == [PRINTED["headline"]]


@pytest.mark.parametrize(
    "words",
    [
        *("茶油", "江衢", "兴振", "油茶林话", "油 茶林里x", "226", "202", "026年", "振興"),
        *("油茶 没有", "“油茶 衢江”", "“油茶里”", "油茶 -衢江x", "收２０", "丰收衢江"),
    ],
)
def test_words_that_are_not_there_are_not_found(paper: Engine, words: str) -> None:
    assert found(paper, words) == []


@pytest.mark.parametrize("words", ["", " ", "，。", '""', "“”", "***", "\0", "\ud800", "👨‍👩‍👧", "-- ;"])
def test_words_that_say_nothing_find_nothing(paper: Engine, words: str) -> None:
    assert found(paper, words) == []


def test_words_in_other_scripts_are_found_whole_and_in_any_case(engine: Engine) -> None:
    ingest(engine, issue(article(1, headline="ＣＯＶＩＤ-19疫苗 Ünal Øst Δέλτα AI产业园 6.8亿元")))

    for words in (
        "covid",
        "Covid-19",
        "19",
        "ÜNAL",
        "u\u0308nal",
        "øst",
        "ΔΈΛΤΑ",
        "ai",
        "AI产业",
        "6.8亿",
        "８亿元",
    ):
        assert len(found(engine, words)) == 1, words
    for words in ("cov", "unal", "a", "i产业", "6.9亿", "68亿"):
        assert found(engine, words) == [], words


def test_marks_end_a_word_of_the_text_and_part_words_of_the_query(engine: Engine) -> None:
    ingest(engine, issue(article(1, headline="油茶，林业"), article(2, headline="油茶林")))

    assert found(engine, "油茶林") == ["油茶林"]
    assert found(engine, "油茶，林") == ["油茶，林业", "油茶林"]  # both words, wherever they stand
    assert found(engine, "“油茶，林”") == ["油茶，林业"]
    assert found(engine, "“油茶 林业”") == ["油茶，林业"]
    assert found(engine, "油茶·林业") == ["油茶，林业"]


def test_no_phrase_reaches_from_one_paragraph_to_the_next(engine: Engine) -> None:
    ingest(engine, issue(article(1, paragraphs=("全县丰收", "喜迎新春"))))

    assert found(engine, "丰收喜迎") == []
    assert found(engine, "“丰收 喜迎”") == []
    assert len(found(engine, "丰收 喜迎")) == 1


def test_everything_that_is_printed_of_an_article_is_searched(engine: Engine) -> None:
    full = Article(
        headline="标题甲乙",
        kicker="引题丙丁",
        subheads=("副题戊己",),
        series="栏目庚辛②",
        byline=Byline(("何晓楠",), ("吴丽君",), ("江照",)),
        editor_note="编者子丑",
        paragraphs=("正文寅卯。",),
        parts=(Part("小标辰巳", "名片午未", "生平申酉", ("分述戌亥。",)),),
        captions=("图说天干",),
        section="yaowen",
    )

    ingest(engine, issue(full))

    for words in (
        *("甲乙", "丙丁", "戊己", "庚辛", "何晓楠", "吴丽君", "江照", "子丑", "寅卯"),
        *("辰巳", "午未", "申酉", "戌亥", "天干", "甲乙 天干"),
    ):
        assert found(engine, words) == ["标题甲乙"], words


def test_newest_first_as_everywhere(engine: Engine) -> None:
    for days in (0, 1):
        pages = (article(1), photo(2, headline="消息二"), article(3, page=2))
        ingest(engine, issue(*pages, day=DAY + timedelta(days=days)), now=NOW + timedelta(days=days))

    with store.reading(engine) as db:
        newest = entries.latest(db, SLUG, limit=9)
        assert search.find(db, SLUG, "消息", limit=9) == newest
        assert search.find(db, SLUG, "消息", limit=2, offset=1) == newest[1:3]
        assert search.find(db, SLUG, "消息", limit=2, offset=5) == newest[5:]
        assert search.find(db, "another", "消息", limit=9) == ()
        assert search.count(db, "another", "消息") == 0


def test_filters_apply_before_the_limit(engine: Engine) -> None:
    by = Byline(("金露茜",))
    ingest(engine, issue(article(1, byline=by), article(2), article(3, page=2, section="zonghe", byline=by)))

    def numbers(limit: int = 9, sections: tuple[str, ...] = (), bylines: tuple[str, ...] = ()) -> list[int]:
        with store.reading(engine) as db:
            hits = search.find(db, SLUG, "消息", limit=limit, sections=sections, bylines=bylines)
            assert search.count(db, SLUG, "消息", sections=sections, bylines=bylines) >= len(hits)
        return [int(str(e.article.headline)[1]) for e in hits]

    me = address_part("金露茜")
    assert numbers(sections=("zonghe",), limit=1) == [3]
    assert numbers(bylines=(me,)) == [1, 3]
    assert numbers(bylines=(me,), sections=("zonghe", "nix"), limit=1) == [3]
    assert numbers(bylines=("nobody", me)) == [1, 3]
    assert numbers(sections=("yaowen", "zonghe")) == [1, 2, 3]
    assert numbers(bylines=("nobody",)) == numbers(sections=("nix",)) == []


def test_a_correction_is_found_by_its_new_words_only(paper: Engine) -> None:
    ingest(paper, issue(article(1, **(PRINTED | {"headline": "油桐林里话丰收"}))), now=NOW + MINUTE)

    assert found(paper, "油茶") == []
    assert found(paper, "油桐") == ["油桐林里话丰收"]


def test_what_moves_to_another_section_is_found_there(paper: Engine) -> None:
    ingest(paper, issue(article(1, section="zonghe", **PRINTED)), now=NOW + MINUTE)

    assert found(paper, "油茶", sections=("yaowen",)) == []
    assert found(paper, "油茶", sections=("zonghe",)) == [PRINTED["headline"]]


def test_a_withdrawn_entry_is_not_found_until_it_comes_back(paper: Engine) -> None:
    ingest(paper, issue(article(2)), now=NOW + MINUTE)
    gone = found(paper, "油茶")
    ingest(paper, issue(article(1, **PRINTED), article(2)), now=NOW + 2 * MINUTE)

    assert gone == []
    assert found(paper, "油茶") == [PRINTED["headline"]]


def test_what_is_not_published_is_not_found(engine: Engine) -> None:
    ingest(engine, issue(*(article(n, kind=kind, headline=f"第{n}种") for n, kind in enumerate(Kind, 1))))
    ingest(engine, issue(article(1, kind=Kind.NOTICE, headline="第1种"), article(2)), now=NOW + MINUTE)

    assert found(engine, "第1种") == []
    with store.reading(engine) as db:
        kinds = {e.article.kind for e in search.find(db, SLUG, "昨天 连日 县 受 青岚", limit=9)}
    assert kinds <= {Kind.ARTICLE, Kind.PHOTO}


def test_indexing_twice_and_forgetting_what_is_not_there_do_no_harm(paper: Engine) -> None:
    with store.writing(paper) as db:
        known = entries.of_issue(db, SLUG, DAY)
        search.index(db, known)
        search.forget(db, ["nobody", known[1].id])

        assert search.count(db, SLUG, "油茶") == 1
        assert db.execute(select(func.count()).select_from(searchable)).scalar() == 2
        search.forget(db, [e.id for e in known])
        assert search.count(db, SLUG, "油茶") == 0


@pytest.mark.parametrize(
    "text", ["林" * 9_000 + "终", "x " * 9_000 + "end 终", "县里开会讨论水利" * 3_000 + "终"]
)
def test_the_end_of_an_endless_article_is_found(engine: Engine, text: str) -> None:
    ingest(engine, issue(article(1, headline="开头语", paragraphs=(text,))))

    for words in ("终", "开头 终", text[-20:], text[-300:], f"“{text[8_000:8_200]}”"):
        assert found(engine, words) == ["开头语"], words[:20]


def test_a_megabyte_of_many_words_is_stored(engine: Engine) -> None:
    many = "".join(chr(0x4E00 + n * 7919 % 20_900) for n in range(340_000))
    word = "\U0010ffff".join("𝔘" * 900 for _ in range(3))

    ingest(engine, issue(article(1, headline="开头语", paragraphs=(many, word))))

    for words in ("开头语", many[-30:], many[170_000:170_900], word[:900]):
        assert found(engine, words) == ["开头语"]


def test_the_index_and_its_table_agree(database_url: str, paper: Engine) -> None:
    ingest(paper, issue(article(2)), now=NOW + MINUTE)
    ingest(paper, issue(article(4), article(1, **PRINTED)), now=NOW + 2 * MINUTE)

    with store.writing(paper) as db:
        if database_url.startswith("sqlite"):
            db.execute(text("INSERT INTO searchable_words (searchable_words) VALUES ('integrity-check')"))
        live = {e.id for e in entries.latest(db, SLUG, limit=99)}
        assert {row.entry for row in db.execute(select(searchable.c.entry))} == live


# ── properties ───────────────────────────────────────────────────────────────────────────

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF) | st.sampled_from("〇々㐀龘𠮷𫛭豈")
RUNS = st.text(HAN, min_size=2, max_size=80)
BETWEEN = st.text(st.characters(blacklist_characters="々〇"), max_size=5).map(
    lambda t: "".join(c for c in t if not _may_be_han(c))
)


def _may_be_han(c: str) -> bool:
    name = unicodedata.name(c, "")
    return "IDEOGRAPH" in name or "RADICAL" in name or unicodedata.normalize("NFKC", c) != c


@st.composite
def texts_with_parts(draw: st.DrawFn) -> tuple[str, str]:
    """A text, and a part of one of its runs of Han characters."""
    runs = draw(st.lists(RUNS, min_size=1, max_size=4))
    text = "".join(run + draw(BETWEEN) for run in runs)
    run = draw(st.sampled_from(runs))
    start = draw(st.integers(0, len(run) - 2))
    return text, run[start : draw(st.integers(start + 2, len(run)))]


EXAMPLES = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def only(engine: Engine, of: Article) -> Iterator[Connection]:
    """A transaction in which this article is all there is to be found; nothing of it is kept."""
    with engine.connect() as db, db.begin() as transaction:
        (entry, *others) = entries.of_issue(db, SLUG, DAY)
        search.forget(db, [e.id for e in others])
        search.index(db, [_with(entry, of)])
        yield db
        transaction.rollback()


def _with(entry: Entry, of: Article) -> Entry:
    return Entry(**{name: getattr(entry, name) for name in Entry.__slots__} | {"article": of})


@EXAMPLES
@given(texts_with_parts())
def test_any_part_of_a_run_is_found(paper: Engine, given: tuple[str, str]) -> None:
    text, part = given

    with only(paper, article(1, headline=None, paragraphs=(text,))) as db:
        assert search.count(db, SLUG, part) == 1
        assert search.count(db, SLUG, part[0]) == 1
        assert search.count(db, SLUG, f"“{part}”") == 1
    assert any(text[a:b] in part or part in text[a:b] for a, b in search.places(part, text))


@EXAMPLES
@given(st.text(max_size=60), st.text(max_size=30))
def test_no_query_and_no_text_is_an_error(paper: Engine, text: str, words: str) -> None:
    with only(paper, article(1, headline=text, paragraphs=(text + words,))) as db:
        hits = search.find(db, SLUG, words, limit=3)
        assert search.count(db, SLUG, words) == len(hits)
    for start, end in search.places(words, text):
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    "words",
    [
        *('"', "'", "'; DROP TABLE searchable; --", "*", "油*", "NEAR(油 茶)", "NOT 油茶", "油茶 OR 没有"),
        *(
            "grams:油茶",
            "grams : 油茶",
            "a::tsquery",
            "油 <-> 茶",
            "油 & 茶 | !林",
            "'a':*",
            "\\",
            "\\'",
            "^油茶",
        ),
        *("{grams}:x", "(", ")", "%", "_", "¶", "油\0茶", "\ud800油\udfff", "+" * 100, "油茶" * 5_000),
        *("“" * 10_000, "x " * 5_000, "油 茶 " * 2_500, "é" * 10_000, "ﷺ" * 3_000),
    ],
)
def test_the_databases_query_languages_are_out_of_reach(paper: Engine, words: str) -> None:
    with store.reading(paper) as db:
        search.find(db, SLUG, words, limit=3)
        assert search.find(db, SLUG, "油茶", limit=3, sections=(words,), bylines=(words,)) == ()
        assert search.count(db, SLUG, "油茶") == 1


def test_hostile_texts_are_stored_and_asked_for(engine: Engine) -> None:
    nasty = hostile.texts(payloads=False)
    ingest(engine, issue(article(1, headline="恶意", paragraphs=nasty)))

    for words in nasty:
        found(engine, words)
    assert found(engine, "恶意") == ["恶意"]


def test_operators_are_words_like_others(engine: Engine) -> None:
    ingest(engine, issue(article(1, headline="油茶 or 油桐"), article(2, headline="油茶")))

    assert found(engine, "油茶 OR 没有") == []
    assert found(engine, "油茶 OR") == ["油茶 or 油桐"]
    assert found(engine, "NOT 油桐") == []


# ── where the words stand ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "text", "marked"),
    [
        ("油茶", "种油茶，卖油茶。", "种[油茶]，卖[油茶]。"),
        ("2026年", "到２０２６年底", "到[２０２６年]底"),
        ("ai", "AI said AI产业", "[AI] said [AI]产业"),
        ("“油茶，林”", "油茶、林业和油茶林", "[油茶、林]业和油茶林"),
        ("油茶林 茶林里", "油茶林里", "[油茶林里]"),
        ("①", "第①和1", "第[①]和[1]"),
        ("", "油茶", "油茶"),
        ("没有", "油茶", "油茶"),
    ],
)
def test_the_places_are_those_of_the_text_as_it_is_printed(words: str, text: str, marked: str) -> None:
    shown = text
    for start, end in reversed(search.places(words, text)):
        shown = f"{shown[:start]}[{shown[start:end]}]{shown[end:]}"

    assert shown == marked


# ── migration ────────────────────────────────────────────────────────────────────────────


def test_entries_stored_before_there_was_a_search_are_found_after_the_migration(bare_url: str) -> None:
    migration = __import__("syndicate.store.migrations.versions.0003_search", fromlist=["upgrade"])
    engine = store.open_engine(bare_url)
    store.migrate(engine)
    ingest(engine, issue(article(1, **PRINTED), article(2), article(3, kind=Kind.NOTICE)))
    ingest(engine, issue(article(1, **PRINTED), article(3, kind=Kind.NOTICE)), now=NOW + MINUTE)
    with store.writing(engine) as db:
        if db.dialect.name == "sqlite":
            db.execute(text("DROP TABLE searchable_words"))
        db.execute(text("DROP TABLE searchable"))

        with Operations.context(MigrationContext.configure(db)):
            migration.upgrade()

    assert found(engine, "油茶") == [PRINTED["headline"]]
    with store.reading(engine) as db:
        assert db.execute(select(func.count()).select_from(searchable)).scalar() == 1
    engine.dispose()
