"""Full text search over what is published: by bigrams of Han characters, alike on SQLite and PostgreSQL.

Neither database knows where a Chinese word ends. So every run of Han characters is stored as its
overlapping pairs and, last, its final character: 油茶林 is 油茶 茶林 林. A word of two characters or
more is a phrase of its pairs; a single character is whatever gram begins with it, which costs one
gram a run where an index of single characters would double the table. A word in another script,
and a number, is a gram as it is. Text and query are folded alike (NFKC, then case), so ２ is 2 and
Ａ is a; traditional and simplified characters stay different. Marks and blanks are not stored.

The databases' own query languages get nothing but such grams, quoted: what a visitor writes can
mean nothing in them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    bindparam,
    cast,
    column,
    delete,
    distinct,
    func,
    insert,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from syndicate.model import PUBLISHED_KINDS, Article, Entry
from syndicate.store import entries
from syndicate.store.tables import GAP, searchable, storable

# PostgreSQL's tsvector ends at 1 MiB and at position 16 383, and keeps 256 positions of a lexeme:
# an article beyond that has several rows, which overlap so that no phrase falls between two.
_ROW = 4000  # grams, of at most 160 bytes each
_REPEATS = 255
_PHRASE = 32  # grams of a phrase looked for at once
_GRAM = 40  # characters of the longest gram; a longer word is cut, in text and query alike
_PHRASES = 16  # in one query: more are not looked for
_QUERY = 1000  # characters of a query that are read


@dataclass(frozen=True, slots=True)
class Phrase:
    """Grams that must follow one another; `open`: the last one need only begin so."""

    grams: tuple[str, ...]
    open: bool = False


def find(
    db: Connection,
    publication: str,
    words: str,
    *,
    sections: Sequence[str] = (),
    bylines: Sequence[str] = (),
    limit: int,
    offset: int = 0,
) -> tuple[Entry, ...]:
    """The published entries with all of these words, newest first; "…" are words that follow one another.

    With `sections`, those of one of them; with `bylines` (`model.address_part`), by one of them.
    Words that say nothing (marks, blanks) find nothing.
    """
    wanted = _wanted(db, publication, words, sections, bylines)
    if not wanted:
        return ()
    # Else PostgreSQL, which takes every word for a common one, looks for a rare one in every entry.
    hits = select(searchable.c.entry, searchable.c.published).where(*wanted).cte("hits")
    hits = hits.prefix_with("MATERIALIZED", dialect="postgresql")
    newest = select(hits).distinct().order_by(hits.c.published.desc(), hits.c.entry.desc())
    ids = [row.entry for row in db.execute(newest.limit(limit).offset(offset))]
    found = {entry.id: entry for entry in entries.with_ids(db, ids)}
    return tuple(found[id_] for id_ in ids)


def count(
    db: Connection,
    publication: str,
    words: str,
    *,
    sections: Sequence[str] = (),
    bylines: Sequence[str] = (),
) -> int:
    """How many entries `find` would find without a limit."""
    wanted = _wanted(db, publication, words, sections, bylines)
    if not wanted:
        return 0
    return db.execute(select(func.count(distinct(searchable.c.entry))).where(*wanted)).scalar_one()


def index(db: Connection, given: Iterable[Entry]) -> None:
    """Let these entries be found as they are now; those that are withdrawn or of unpublished kinds, no more."""
    given = tuple(given)
    forget(db, [entry.id for entry in given])
    live = (e for e in given if e.withdrawn is None and e.article.kind in PUBLISHED_KINDS)
    found = [row for e in live for row in rows(e.id, e.publication, e.section, e.published, e.article)]
    if found:
        db.execute(insert(searchable), found)


def rows(
    id_: str, publication: str, section: str, published: datetime, article: Article
) -> list[dict[str, Any]]:
    """An entry as it is written into the table `searchable`."""
    same = {"entry": id_, "publication": publication, "section": section, "published": published}
    return [same | {"grams": grams} for grams in _cut(_grams_of(article))]


def forget(db: Connection, ids: Sequence[str]) -> None:
    """Let these entries be found no more."""
    if ids:
        db.execute(
            delete(searchable).where(searchable.c.entry == bindparam("key")), [{"key": i} for i in ids]
        )


def places(words: str, text: str) -> tuple[tuple[int, int], ...]:
    """Where in a text the words occur, [start, end), in order and apart from one another."""
    looked_for = [_pattern(word) for word in _spoken(words)]
    if not looked_for:
        return ()
    folded, origin = _folded(text)
    found = sorted(m.span() for pattern in looked_for for m in re.finditer(pattern, folded))
    apart: list[tuple[int, int]] = []
    for start, end in ((origin[first], origin[last - 1] + 1) for first, last in found):
        if apart and start < apart[-1][1]:
            start, end = apart[-1][0], max(end, apart.pop()[1])
        apart.append((start, end))
    return tuple(apart)


# ── the words ────────────────────────────────────────────────────────────────────────────

_HAN = "々〇\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"[^\W_{_HAN}]"  # and digits
_RUN = re.compile(rf"[{_HAN}]+|{_LETTER}+")
_UNSEEN = re.compile("[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_QUOTED = re.compile(r'["“”„«»「」『』＂]')
_BETWEEN = re.compile(r"[\s\x00,，、;；。！？!?]+")  # what people put between two words


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()


_fold_one = lru_cache(8192)(_fold)  # characters: texts that are shown are folded one by one


def _is_han(run: str) -> bool:
    return re.match(f"[{_HAN}]", run) is not None


def _spoken(words: str) -> list[tuple[str, ...]]:
    """The query's words, each as its runs: a word is what stands between blanks, or in quotation marks."""
    found: list[str] = []
    for n, piece in enumerate(_QUOTED.split(words[:_QUERY])):
        found += [piece] if n % 2 else _BETWEEN.split(piece)
    runs = (tuple(_RUN.findall(_fold(word))) for word in found)
    return [word for word in dict.fromkeys(runs) if word]


def _phrases(words: str) -> list[Phrase]:
    """What must be found, in pieces no longer than rows overlap."""
    return [piece for word in _spoken(words) for piece in _pieces(_phrase(word))][:_PHRASES]


def _phrase(runs: Sequence[str]) -> Phrase:
    """A word's grams. Its last Han character may go on in the text, so it is no end of a run."""
    grams = tuple(gram for run in runs for gram in _grams(run))
    if not _is_han(runs[-1]):
        return Phrase(grams)
    return Phrase(grams, open=True) if len(runs[-1]) == 1 else Phrase(grams[:-1])


def _pieces(phrase: Phrase) -> Iterator[Phrase]:
    """The phrase, or windows over it, each beginning with the gram the one before ended with."""
    last = max(len(phrase.grams) - 1, 1)
    for start in range(0, last, _PHRASE - 1):
        end = start + _PHRASE
        yield Phrase(phrase.grams[start:end], phrase.open and end >= len(phrase.grams))


def _pattern(runs: Sequence[str]) -> str:
    """The word as it stands in a folded text: marks between its runs, no letter beside a letter."""
    pattern = ""
    for before, run in zip(("", *runs), runs, strict=False):
        if before:
            pattern += r"[\W_]+" if _is_han(before) == _is_han(run) else r"[\W_]*"
        pattern += run if _is_han(run) else rf"(?<!{_LETTER}){re.escape(run)}(?!{_LETTER})"
    return pattern


def _folded(text: str) -> tuple[str, list[int]]:
    """The text folded character by character, and of which character each of it comes."""
    pairs = [(c, at) for at, whole in enumerate(text) for c in _fold_one(whole)]
    return "".join(c for c, _ in pairs), [at for _, at in pairs]


# ── the index ────────────────────────────────────────────────────────────────────────────


def _grams_of(article: Article) -> Iterator[str]:
    for text in _texts(article):
        for run in _RUN.findall(_fold(text)):
            yield from _grams(run)
        yield GAP


def _texts(article: Article) -> Iterator[str]:
    """Everything that is searched."""
    yield from filter(None, (article.headline, article.kicker, *article.subheads, article.series))
    yield from article.byline.names
    yield article.editor_note or ""
    yield from article.paragraphs
    for part in article.parts:
        yield from filter(None, (part.headline, part.label, part.profile))
        yield from part.paragraphs
    yield from article.captions


def _grams(run: str) -> Iterator[str]:
    if _is_han(run):
        yield from (run[at : at + 2] for at in range(len(run)))
    else:
        yield from (run[at : at + _GRAM] for at in range(0, len(run), _GRAM))


def _cut(grams: Iterable[str]) -> Iterator[tuple[str, ...]]:
    row: list[str] = []
    seen: Counter[str] = Counter()
    for gram in grams:
        if gram == GAP and row[-1:] in ([], [GAP]):
            continue
        if len(row) == _ROW or seen[gram] == _REPEATS:
            yield tuple(row)
            row = row[1 - _PHRASE :]
            seen = Counter(row)
        row.append(gram)
        seen[gram] += 1
    if row:
        yield tuple(row)


# ── the query ────────────────────────────────────────────────────────────────────────────

_MATCHES = table("searchable_words", column("searchable_words"), column("rowid"))


def _wanted(
    db: Connection, publication: str, words: str, sections: Sequence[str], bylines: Sequence[str]
) -> list[ColumnElement[bool]]:
    """What must be true of a row; nothing when nothing is looked for."""
    phrases = _phrases(words)
    if not phrases:
        return []
    wanted = [searchable.c.publication == publication, _holds(db, searchable, phrases[0])]
    if sections:
        wanted.append(searchable.c.section.in_(map(storable, sections)))
    if bylines:
        wanted.append(searchable.c.entry.in_(entries.named(publication, "byline", *map(storable, bylines))))
    for phrase in phrases[1:]:  # it may stand in another row of the same entry
        other = searchable.alias()
        wanted.append(searchable.c.entry.in_(select(other.c.entry).where(_holds(db, other, phrase))))
    return wanted


def _holds(db: Connection, rows: FromClause, phrase: Phrase) -> ColumnElement[bool]:
    if db.dialect.name == "sqlite":
        asked = f'"{" ".join(phrase.grams)}"{" *" if phrase.open else ""}'
        matching = select(_MATCHES.c.rowid).where(_MATCHES.c.searchable_words.op("MATCH")(asked))
        return rows.c.number.in_(matching)
    asked = " <-> ".join(f"'{gram}'" for gram in phrase.grams) + (":*" if phrase.open else "")
    grams: ColumnElement[Any] = rows.c.grams
    return grams.op("@@")(cast(asked, TSQUERY))
