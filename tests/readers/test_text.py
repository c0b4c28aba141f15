"""Bytes of text files: told apart, decoded whole, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndicate.errors import ReadError
from syndicate.readers import text
from tests.split.shared import shared

PRINTED = "青岚日报\n\n2026年11月16日 星期一\n\n县里召开秋冬水利工作会议，部署清淤和加固。"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"]
)
def test_the_encoding_is_told_by_the_bytes(encoding: str) -> None:
    document = text.read([("issue.txt", PRINTED.encode(encoding))])

    assert document.sources[0].text == PRINTED


def test_traditional_text_in_big5_is_read() -> None:
    printed = "今日要聞：縣政府召開會議，討論學校與醫院的興建計畫，預計明年完成。" * 4

    assert text.read([("issue.txt", printed.encode("big5"))]).sources[0].text == printed


def test_line_ends_and_controls_keep_their_places() -> None:
    printed = "标题\r\n\r\n正文\x00有\x0c字。\r\n"

    assert text.read([("issue.txt", printed.encode())]).sources[0].text == printed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 \x00\x01", "a PDF"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x00" * 4000, "binary"),
        (b" \n\t\n", "no text"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line_that_names_the_file(content: bytes, said: str) -> None:
    with pytest.raises(ReadError) as refused:
        text.read([("broken.txt", content)])

    message = str(refused.value)
    assert message.startswith("broken.txt: ")
    assert said in message
    assert "\n" not in message


def test_a_file_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ReadError, match=r"^big\.txt: .*MB"):
        text.read([("big.txt", "字".encode() * 100)], limit=200)


def test_no_files_are_no_issue() -> None:
    with pytest.raises(ReadError):
        text.read([])


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("jinriqujiang-2020-10-20-p1.txt", 1),
        ("p2.txt", 2),
        ("inbox/issue_03.txt", 3),
        ("第04版.txt", 4),
        ("第十二版.txt", 12),
        ("第二十版.txt", 20),
        ("A03.txt", 3),
        ("2020-10-20_04.txt", 4),
        ("qinglan-2026-11-16.txt", None),
        ("20201020.txt", None),
        ("issue.txt", None),
    ],
)
def test_a_files_name_may_tell_its_page(name: str, page: int | None) -> None:
    assert text.page_of(name) == page


def test_files_in_other_encodings_are_read_as_their_utf_8_twins() -> None:
    folder = shared("hostile/encodings-cjk")
    twins = [p for p in sorted(folder.glob("*.txt")) if Path(folder / f"{p.stem}-utf8.txt").exists()]

    wrong = [p.stem for p in twins if _read(p) != (folder / f"{p.stem}-utf8.txt").read_bytes().decode()]

    assert wrong in ([], ["big5hkscs"])  # eight bytes of Hong Kong characters and nothing around them


def _read(path: Path) -> str:
    return text.read([(path.name, path.read_bytes())]).sources[0].text
