"""No domain gets more at once than it takes, and none waits for another."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from syndicate.jobs.pace import LONGEST_REST, REST, Pace
from syndicate.model import Limit


def pace(*, per_second: float = 0.0, crowd: int = 9, **limits: Limit) -> Pace[str]:
    known = {f"{name}.com": limit for name, limit in limits.items()}
    return Pace(known, per_second=per_second, crowd=crowd, domain=_domain)


def _domain(address: str) -> str:
    return address.partition("@")[2]


def test_without_limits_letters_go_in_order_domain_by_domain() -> None:
    given = pace()
    given.add(["1@a.com", "2@a.com", "3@b.com"], 0)

    assert [given.next(0) for _ in range(4)] == ["1@a.com", "3@b.com", "2@a.com", None]


def test_a_domain_gets_no_more_a_second_than_it_takes() -> None:
    given = pace(qq=Limit(per_second=2))
    given.add(["1@qq.com", "2@qq.com", "3@other.com"], 10)

    assert given.next(10) == "1@qq.com"
    assert given.next(10) == "3@other.com"
    assert given.next(10) == 0.5
    assert given.next(10.25) == 0.25
    assert given.next(10.5) == "2@qq.com"


def test_a_domain_has_no_more_under_way_than_it_takes() -> None:
    given = pace(qq=Limit(connections=1))
    given.add(["1@qq.com", "2@qq.com"], 0)

    assert given.next(0) == "1@qq.com"
    assert isinstance(given.next(5), float)
    given.done("1@qq.com", 6)
    assert given.next(6) == "2@qq.com"


def test_a_domain_that_refused_rests_longer_each_time_and_others_do_not() -> None:
    given = pace()
    given.add([f"{n}@qq.com" for n in range(9)], 0)
    now, rests = 0.0, []
    for _ in range(9):
        letter = given.next(now)
        assert isinstance(letter, str)
        given.done(letter, now, refused=True)
        rests.append(given.rests()["qq.com"][0])
        given.add(["x@other.com"], now)
        assert given.next(now) == "x@other.com"
        given.done("x@other.com", now)
        now += rests[-1]

    assert rests == [min(REST * 2**n, LONGEST_REST) for n in range(9)]


def test_one_that_was_taken_ends_the_rest() -> None:
    given = pace()
    given.add(["1@qq.com", "2@qq.com"], 0)
    first, second = given.next(0), given.next(0)
    assert isinstance(first, str)
    assert isinstance(second, str)
    given.done(first, 0, refused=True)
    given.done(second, 1)
    given.add(["3@qq.com"], REST)
    given.next(REST)
    given.done("3@qq.com", REST, refused=True)

    assert given.rests() == {"qq.com": (REST, 2 * REST)}


def test_all_together_keep_to_the_whole_rate() -> None:
    given = pace(per_second=10)
    given.add(["1@a.com", "2@b.com"], 0)

    assert given.next(0) == "1@a.com"
    assert given.next(0) == 0.1
    assert given.next(0.1) == "2@b.com"


def test_a_crowded_domain_is_named() -> None:
    given = pace(crowd=2)
    given.add(["1@a.com", "2@a.com", "1@b.com"], 0)

    assert given.crowded() == {"a.com"}


def test_a_domain_that_rests_wants_no_more_and_gives_back_what_waits() -> None:
    given = pace(qq=Limit(per_second=2))
    given.add(["1@qq.com", "2@qq.com", "1@a.com", "2@a.com", "3@a.com"], 0)
    assert given.ready == 5
    first = given.next(0)
    assert isinstance(first, str)
    given.done(first, 0, refused=True)

    assert given.crowded() == {"qq.com"}
    assert given.ready == 3
    assert dict(given.back(10)) == {"2@qq.com": REST - 10, "1@a.com": 0, "2@a.com": 0, "3@a.com": 0}
    assert given.next(99) is None


def test_of_a_slow_domain_only_a_second_s_worth_is_ready() -> None:
    given = pace(qq=Limit(per_second=2))
    given.add([f"{n}@qq.com" for n in range(100)], 0)

    assert given.ready == 3


@given(
    some.lists(some.sampled_from(["a.com", "b.com", "c.com"]), max_size=40),
    some.dictionaries(
        some.sampled_from(["a", "b"]),
        some.builds(Limit, some.sampled_from([0.0, 0.5, 3.0]), some.integers(0, 3)),
    ),
)
def test_every_letter_comes_once_and_within_the_limits(domains: list[str], limits: dict[str, Limit]) -> None:
    letters = [f"{n}@{domain}" for n, domain in enumerate(domains)]
    tried = Pace({f"{name}.com": limit for name, limit in limits.items()}, domain=_domain)
    tried.add(letters, 0)
    came: list[str] = []
    under_way: list[str] = []
    now, at = 0.0, dict[str, float]()
    while (found := tried.next(now)) is not None:
        if isinstance(found, float):
            now += found
            if under_way:
                tried.done(under_way.pop(0), now)
            continue
        came.append(found)
        under_way.append(found)
        domain = _domain(found)
        limit = limits.get(domain.removesuffix(".com"), Limit())
        if limit.per_second and domain in at:
            assert now - at[domain] >= 1 / limit.per_second - 1e-9
        at[domain] = now
        if limit.connections:
            assert Counter(map(_domain, under_way))[domain] <= limit.connections

    assert sorted(came) == sorted(letters)
    for domain in set(domains):
        assert [one for one in came if _domain(one) == domain] == [
            one for one in letters if _domain(one) == domain
        ]


def test_a_letter_costs_the_same_however_many_domains_there_are() -> None:
    given = pace()
    given.add([f"{n}@d{n}.com" for n in range(5000)], 0)
    came = 0
    while isinstance(letter := given.next(0), str):
        given.done(letter, 0)
        came += 1

    assert came == 5000
    assert given.ready == 0
    assert not given._domains  # none of them is remembered


def test_after_a_rest_one_letter_asks_for_all() -> None:
    given = pace()
    given.leave_alone("a.com", REST, 10, 0)
    given.add(["1@a.com", "2@a.com", "3@a.com"], 0)
    assert given.crowded() == {"a.com"}
    assert given.next(0) == 10

    assert given.next(10) == "1@a.com"
    assert given.next(10) == 0.25
    given.done("1@a.com", 11, refused=True)
    assert given.rests() == {"a.com": (2 * REST, 11 + 2 * REST)}
    assert given.next(11) == 2 * REST
    assert given.next(11 + 2 * REST) == "2@a.com"
    given.done("2@a.com", 72)
    assert given.rests() == {"a.com": (0.0, 71.0)}
    assert given.next(72) == "3@a.com"


def test_letters_under_way_beside_one_that_was_refused_do_not_lengthen_the_rest() -> None:
    given = pace()
    given.add(["1@a.com", "2@a.com"], 0)
    for letter in [given.next(0), given.next(0)]:
        assert isinstance(letter, str)
        given.done(letter, 1, refused=True)

    assert given.rests() == {"a.com": (REST, 1 + REST)}
