"""Lists of subscribers: however another program wrote them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.errors import ReadError
from syndicate.readers import lists
from syndicate.readers.lists import Row

PLAIN = "邮箱,同意日期,栏目\r\n读者@example.org,2026-03-05,要闻\r\n"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_list_is_read_in_any_usual_coding_and_with_any_usual_mark(coding: str, mark: str) -> None:
    raw = PLAIN.replace(",", mark).encode(coding)

    assert list(lists.rows(raw)) == [
        Row(2, {"address": "读者@example.org", "consent": "2026-03-05", "sections": "要闻"})
    ]


def test_a_row_knows_its_line_and_empty_ones_are_passed_over() -> None:
    raw = b'consent,nix,EMAIL\n2026-01-01,"two\nlines",a@example.org\n,,\n\n2026-01-02,,b@example.org,more\n'

    assert [(row.line, row.said["address"]) for row in lists.rows(raw)] == [
        (3, "a@example.org"),
        (6, "b@example.org"),
    ]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "there is no column 'address' (邮箱)"),
        (b"address\na@example.org", "no column 'consent'"),
        (b"address,email,consent\n", "two columns 'address'"),
        (b"address,consent\n\xff\xff\xff", "neither UTF-8 nor GB18030"),
    ],
)
def test_what_is_no_list_is_refused_in_a_line(raw: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said.replace("(", r"\(").replace(")", r"\)")):
        list(lists.rows(raw))


OK = "{}@example.org,2026-01-02,x"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('"bad@example.org,2026-01-02,x', {"address": "bad@example.org", "consent": "2026-01-02"}),
        ('bad@example.org,2026-01-02,"x', {"address": "bad@example.org", "consent": "2026-01-02"}),
        (
            f'bad@example.org,2026-01-02,"{"x" * 200_000}"',
            {"address": "bad@example.org", "consent": "2026-01-02"},
        ),
    ],
)
def test_what_cannot_be_read_of_a_line_spoils_no_other(bad: str, said: dict[str, str]) -> None:
    lines = ["address,consent,note", OK.format("a"), bad, *(OK.format(f"r{n}") for n in range(9000))]

    found = list(lists.rows("\n".join(lines).encode()))

    assert len(found) == 9002
    assert [(row.line, row.said) for row in found if row.fault] == [(3, said)]


@pytest.mark.parametrize("inside", ["\u2028", "\x0b", "\x0c", "\x85", "\u2029", "\n", "\r\n", '""'])
def test_a_line_ends_where_a_list_s_line_ends(inside: str) -> None:
    raw = f'address,note,consent\na@example.org,"one{inside}two",2026-01-01\nb@example.org,,2026-01-01\n'

    assert [row.said["address"] for row in lists.rows(raw.encode())] == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize("heading", ["Email Address", "E-Mail", "EMAIL", "email_address", "电子邮箱"])
@pytest.mark.parametrize(
    "consent", ["CONFIRM_TIME", "OPTIN_TIME", "Opt-in Time", "consent date", "OPTIN_TIME,CONFIRM_TIME"]
)
def test_headings_are_known_as_other_programs_write_them(heading: str, consent: str) -> None:
    raw = f"{heading},{consent}\na@example.org,2025-01-01,2026-01-01\n"

    (row,) = lists.rows(raw.encode())

    assert row.said == {"address": "a@example.org", "consent": f"202{5 + (',' in consent)}-01-01"}


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1))
def test_a_cell_is_read_back_and_no_spreadsheet_reckons_it(cell: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerows((("address", "consent"), (lists.safe(cell), "2026-01-01")))

    (row,) = lists.rows(written.getvalue().encode())

    assert row.said["address"] == cell
    assert not lists.safe(cell).startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
