"""What a split issue changes in the ledger: who is new, changed, the same, withdrawn. Ids never change.

1. An article equal to a known entry is that entry; among equal ones the page decides, then the order.
2. The rest is matched by likeness of text, best first, one to one (`_alike`).
3. Where several known entries were merged into one article, the first of them keeps its id (`_merged`).
4. What is left over on either side is new or withdrawn.

Nothing here reads a file, a database or a clock.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syndicate.errors import IssueError
from syndicate.model import (
    Article,
    ChangedEntry,
    Entry,
    HeadlineSource,
    Issue,
    Jump,
    Kind,
    NewEntry,
    Publication,
    Revision,
    StoredIssue,
)

# Lengths in letters. Each slip of a scanner spoils four shingles of 4 characters: short texts, that
# have few, are also compared by pairs of characters.
SHORT = 100
ENOUGH = 48  # for 4-character shingles to tell something
FRAGMENT = 24  # less is a scrap, not an article that others are merged into
LIKE_PAIRS = 0.5  # of two short texts by pairs of characters
LIKE = 0.25  # by 4-character shingles, where nothing but the same article comes near
CONTAINED = 0.6  # of the smaller one in the larger, when an article was split, merged or completed
CONTAINED_SCRAP = 0.8
AHEAD = timedelta(days=30)  # no paper is printed longer before its day
SECOND = timedelta(seconds=1)  # what feeds tell moments apart by
EVERYWHERE = 50  # texts: a shingle in more of them tells nothing, and would make the work quadratic


def revise(
    publication: Publication,
    issue: Issue,
    known: Sequence[Entry],
    now: datetime,
    taken: Iterable[datetime] = (),
) -> Revision:
    """Hold a split issue against what is known of that issue, withdrawn entries included.

    `taken`: when entries of the paper's other issues changed lately; what changes now gets other seconds.
    """
    stripped = [replace(article, spans={}) for article in issue.articles]
    ledger = sorted(known, key=lambda e: (e.page, e.n))
    found = _found(stripped, ledger)
    clock = _Seconds(known, now, taken)
    givers = _Addresses(publication, issue, known, clock)
    new: list[NewEntry] = []
    changed: list[ChangedEntry] = []
    same: list[Entry] = []
    for place, article in enumerate(stripped):
        before = found.get(place)
        if before is None:
            new.append(NewEntry(givers.entry(article)))
        elif (after := _after(publication, before, article, clock)) == before:
            same.append(before)
        else:
            changed.append(ChangedEntry(before, after))
    kept = {entry.id for entry in found.values()}
    lost = [entry for entry in ledger if entry.id not in kept and entry.withdrawn is None]
    gone = [replace(entry, withdrawn=clock.after(entry.updated)) for entry in lost]
    return Revision(tuple(new), tuple(changed), tuple(same), tuple(gone))


def number_warnings(
    issue: Issue, before: StoredIssue | None, print_days: Collection[int] = range(7)
) -> tuple[str, ...]:
    """A warning when the issue's number cannot follow the one before.

    Between the two the paper appeared at least once, and at most on every one of its print days.
    """
    number, day = issue.masthead.number, issue.masthead.date
    if number is None or day is None or before is None or before.number is None:
        return ()
    days = ((before.date + timedelta(days=n)).weekday() for n in range(1, (day - before.date).days + 1))
    most = max(1, sum(weekday in print_days for weekday in days))
    if 1 <= number - before.number <= most:
        return ()
    return (f"issue number {number} does not follow {before.number} of {before.date.isoformat()}",)


def foreign_pages(revision: Revision, pages: Iterable[int]) -> tuple[int, ...]:
    """Which of these pages held articles, and now hold not one of them: perhaps another paper's page."""
    kept = {entry.article.page for entry in (*revision.same, *(c.before for c in revision.changed))}
    lost = {entry.article.page for entry in revision.withdrawn}
    return tuple(page for page in pages if page in lost - kept)


def mails(day: date, newest: StoredIssue | None, today: date) -> bool:
    """Only an issue newer than the newest one known is news to subscribers; a back archive is not.

    Nor is one from the far future: the scanner misread its date.
    """
    return (newest is None or day > newest.date) and day <= today + AHEAD


def date_warnings(day: date, today: date) -> tuple[str, ...]:
    """A warning when an issue is dated so far ahead that its date must have been misread."""
    if day <= today + AHEAD:
        return ()
    return (f"dated {(day - today).days} days ahead, so it was mailed to nobody: is {day} right?",)


def fingerprint(article: Article) -> str:
    """The same for the same words of the body, however they are set; of the headline where there is no body."""
    words = _letters(_body(article)) or _letters(_head(article))
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _day(issue: Issue) -> date:
    if issue.masthead.date is None:
        raise IssueError("an issue without a date has no place in the ledger")
    return issue.masthead.date


# ── the entries as they are to be written ────────────────────────────────────────────────


class _Seconds:
    """Now, but a second of its own for each change: two entries with one `updated` confuse feed readers."""

    def __init__(self, known: Sequence[Entry], now: datetime, taken: Iterable[datetime]) -> None:
        self.now = now
        mine = (moment for entry in known for moment in (entry.updated, entry.withdrawn) if moment)
        self._taken = set(map(_whole, (*mine, *taken)))

    def after(self, moment: datetime) -> datetime:
        """The last free second up to now, if one is left since `moment`; never before it."""
        free = max(self.now, moment)
        while _whole(free) in self._taken and free - SECOND >= moment:
            free -= SECOND
        self._taken.add(_whole(free))
        return free


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _after(publication: Publication, before: Entry, article: Article, clock: _Seconds) -> Entry:
    """The known entry with what is printed now; itself when only our confidence in it changed."""
    if before.withdrawn is None and _placed(publication, article) == (before.section, _sure(before.article)):
        return before
    reworded = _content(before.article) != _content(article)
    return replace(
        before,
        section=_section(publication, article),
        article=article,
        fingerprint=fingerprint(article),
        updated=clock.after(before.updated) if reworded else before.updated,
        withdrawn=None,
    )


def _placed(publication: Publication, article: Article) -> tuple[str, Article]:
    return _section(publication, article), _sure(article)


def _section(publication: Publication, article: Article) -> str:
    if article.section is not None:
        return article.section
    return publication.sections[-1].slug if publication.sections else ""


def _sure(article: Article) -> Article:
    """The article without what we think of it."""
    return replace(article, confidence=1.0, warnings=())


def _content(article: Article) -> Article:
    """The article without what we think of it and where it stands: what a reader reads."""
    return replace(
        _sure(article),
        page=1,
        page_title=None,
        section=None,
        kind=Kind.ARTICLE,
        jump=Jump(),
        headline_source=HeadlineSource.PRINTED,
    )


class _Addresses:
    """Gives new entries what they keep for ever: id, address and `published`."""

    def __init__(
        self, publication: Publication, issue: Issue, known: Sequence[Entry], clock: _Seconds
    ) -> None:
        day = _day(issue)
        self._publication, self._day, self._clock, self._late = publication, day, clock, bool(known)
        number = issue.masthead.number
        self._prefix = (
            f"tag:{publication.host},{day.isoformat()}:{publication.slug}/"
            f"{day.strftime('%Y%m%d') if number is None else number}/"
        )
        self._running = max((_running(entry.id) for entry in known), default=0)
        self._taken: Counter[int] = Counter()
        for entry in known:
            self._taken[entry.page] = max(self._taken[entry.page], entry.n)
        self._moments = {entry.published for entry in known}
        # An issue found before its print time keeps that base, or late finds would pass for newest.
        self._base = max((e.published + _depth(e.page, e.n) for e in known), default=None) or _base(
            publication, day, clock.now
        )

    def entry(self, article: Article) -> Entry:
        """The article as a new entry."""
        self._running += 1
        self._taken[article.page] += 1
        published = self._moment(article.page, self._taken[article.page])
        return Entry(
            id=f"{self._prefix}{self._running}",
            publication=self._publication.slug,
            date=self._day,
            page=article.page,
            n=self._taken[article.page],
            section=_section(self._publication, article),
            article=article,
            fingerprint=fingerprint(article),
            published=published,
            updated=self._clock.after(published) if self._late else published,
        )

    def _moment(self, page: int, n: int) -> datetime:
        moment = self._base - _depth(page, n)
        while moment in self._moments:  # readers that sort by date need a different second for each
            moment -= SECOND
        self._moments.add(moment)
        return moment


def _running(id_: str) -> int:
    return int(id_.rsplit("/", 1)[1])


def _depth(page: int, n: int) -> timedelta:
    """How deep in the paper, in seconds: so newest first is page order."""
    return timedelta(seconds=min(page, 500) * 100 + n)


def _base(publication: Publication, day: date, now: datetime) -> datetime:
    printed = datetime.combine(day, publication.print_time, ZoneInfo(publication.zone))
    return min(printed.astimezone(UTC), now.astimezone(UTC)).replace(microsecond=0)


# ── finding an article again ─────────────────────────────────────────────────────────────


def _found(articles: Sequence[Article], ledger: Sequence[Entry]) -> dict[int, Entry]:
    """Which known entry an article (by its place in the issue) is."""
    found = _equal(articles, ledger)
    if len(found) == len(articles):
        return found
    known = {entry.id for entry in found.values()}
    if all(entry.id in known for entry in ledger):
        return found
    return found | _alike(articles, ledger, found)


def _equal(articles: Sequence[Article], ledger: Sequence[Entry]) -> dict[int, Entry]:
    found: dict[int, Entry] = {}
    keys: tuple[Callable[[Article], str], ...] = (
        lambda article: repr(_sure(article)),
        lambda article: repr(replace(_content(article), page=article.page)),
        lambda article: repr(_content(article)),
    )
    for key in keys:
        taken = {entry.id for entry in found.values()}
        waiting: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(ledger, key=lambda e: e.withdrawn is not None):
            if entry.id not in taken:
                waiting[key(entry.article)].append(entry)
        for place, article in enumerate(articles):
            if place not in found and (same := waiting.get(key(article))):
                found[place] = same.pop(0)
    return found


class _Pair(NamedTuple):
    """A known entry and an article that may be the same, both by their place."""

    entry: int
    article: int
    likeness: float
    contained: float  # how much of the smaller one is in the larger


def _alike(articles: Sequence[Article], ledger: Sequence[Entry], found: dict[int, Entry]) -> dict[int, Entry]:
    """The articles not found yet that have the text of a known entry, best first and one to one."""
    taken = {entry.id for entry in found.values()}
    old = _Texts([entry.article for entry in ledger], {i for i, e in enumerate(ledger) if e.id in taken})
    new = _Texts(articles, set(found))
    pairs = {(pair.entry, pair.article): pair for pair in _likenesses(old, new, 4) if _long(pair, old, new)}
    pairs |= {(pair.entry, pair.article): pair for pair in _likenesses(old, new, 2) if _short(pair, old, new)}

    def best_first(pair: _Pair) -> tuple[float | int, ...]:
        entry, article = ledger[pair.entry], articles[pair.article]
        return (
            -round(pair.likeness, 6),
            entry.withdrawn is not None,
            entry.article.page != article.page,
            entry.article.kind != article.kind,
            abs(pair.entry - pair.article),
            pair.article,
            pair.entry,
        )

    matched: dict[int, int] = {}
    for pair in sorted(pairs.values(), key=best_first):
        if pair.article not in matched and pair.entry not in matched.values():
            matched[pair.article] = pair.entry
    _merged(articles, ledger, old, new, matched)
    return {article: ledger[entry] for article, entry in matched.items()}


def _long(pair: _Pair, old: _Texts, new: _Texts) -> bool:
    smaller, larger = sorted((len(old.texts[pair.entry]), len(new.texts[pair.article])))
    if smaller >= ENOUGH:
        return pair.likeness >= LIKE or pair.contained >= CONTAINED
    # A caption or a torn scan of few words, found whole in a long article.
    return larger >= 2 * ENOUGH and smaller >= FRAGMENT and pair.contained >= CONTAINED_SCRAP


def _short(pair: _Pair, old: _Texts, new: _Texts) -> bool:
    smaller, larger = sorted((len(old.texts[pair.entry]), len(new.texts[pair.article])))
    return smaller < SHORT and larger < 2 * SHORT and pair.likeness >= LIKE_PAIRS


def _merged(
    articles: Sequence[Article], ledger: Sequence[Entry], old: _Texts, new: _Texts, matched: dict[int, int]
) -> None:
    """Give a merged article the id of the first of its parts; likeness gave it that of the largest."""
    left = [
        i
        for i, entry in enumerate(ledger)
        if i not in old.found and i not in matched.values() and entry.withdrawn is None
    ]
    for article, entry in sorted(matched.items()):
        kind = articles[article].kind
        whole = new.shingles(article, 4)
        for first in left:
            if first >= entry or len(old.texts[first]) < FRAGMENT:
                continue
            if ledger[first].article.kind != kind and ledger[entry].article.kind == kind:
                continue  # a photo joined to its report does not take the report's place
            part = old.shingles(first, 4)
            added = (part & whole) - old.shingles(entry, 4)
            if len(added) >= CONTAINED * len(part):
                matched[article] = first
                left.remove(first)
                break


class _Texts:
    """The letters of articles and their shingles; `found` are those that need no looking for."""

    def __init__(self, articles: Sequence[Article], found: set[int]) -> None:
        self.texts = [_letters((*_head(article), *_body(article))) for article in articles]
        self.found = found

    def shingles(self, place: int, size: int) -> frozenset[str]:
        """Every run of `size` characters; a shorter text is its own only shingle."""
        text = self.texts[place]
        return frozenset(text[i : i + size] for i in range(max(1, len(text) - size + 1))) - {""}

    def common(self, size: int) -> Counter[str]:
        """In how many texts a shingle occurs."""
        return Counter(s for place in range(len(self.texts)) for s in self.shingles(place, size))


def _likenesses(old: _Texts, new: _Texts, size: int) -> Iterator[_Pair]:
    """How alike texts are that share anything; set phrases, common to many texts, count for little."""
    common = old.common(size) | new.common(size)
    # Two texts may share what was printed twice, an announcement and its article; three share a phrase.
    weight = {s: 1 / max(1, n - 1) if n <= EVERYWHERE else 0.0 for s, n in common.items()}
    where: dict[str, list[int]] = defaultdict(list)
    total: dict[int, float] = {}
    for entry in set(range(len(old.texts))) - old.found:
        shingles = old.shingles(entry, size)
        total[entry] = sum(weight[s] for s in shingles)
        for s in shingles:
            if weight[s]:
                where[s].append(entry)
    for article in set(range(len(new.texts))) - new.found:
        shingles = new.shingles(article, size)
        mine = sum(weight[s] for s in shingles)
        shared: dict[int, float] = defaultdict(float)
        for s in shingles:
            for entry in where.get(s, ()):
                shared[entry] += weight[s]
        for entry, both in shared.items():
            yield _Pair(entry, article, 2 * both / (mine + total[entry]), both / min(mine, total[entry]))


def _head(article: Article) -> tuple[str, ...]:
    return tuple(filter(None, (article.kicker, article.headline, *article.subheads)))


def _body(article: Article) -> tuple[str, ...]:
    parts = [text for p in article.parts for text in (p.label, p.headline, p.profile, *p.paragraphs)]
    return tuple(filter(None, (article.editor_note, *article.paragraphs, *parts, *article.captions)))


def _letters(texts: Sequence[str]) -> str:
    """Letters and digits only: line breaks, widths and punctuation are what scans disagree about."""
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", "".join(texts)))).lower()
