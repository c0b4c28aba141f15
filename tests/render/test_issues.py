"""The JSON of `syndicate split --json`: every field, and spans that point at the print."""

from __future__ import annotations

import json

from syndicate.model import Document, Source
from syndicate.render.issues import as_json
from syndicate.split import split

FIRST = "青岚日报\n\n2026年11月19日 星期四\n\n县里部署冬修水利\n\n本报讯 (记者 程曦)昨天,县里召开冬修会议,部署清淤。"
SECOND = "第02版:民生\n\n老街菜场装上公平秤\n\n本报记者 方小满\n\n老街菜场昨天换上二十台公平秤,斤两一眼便知。"


def test_an_issue_of_one_file_has_spans_of_two_numbers() -> None:
    output = as_json(split(Document((Source("p1.txt", FIRST, 1),))))

    (article,) = output["articles"]
    ((start, end),) = article["spans"]["headline"]
    assert FIRST[start:end] == "县里部署冬修水利"
    assert [FIRST[a:b] for [[a, b]] in article["spans"]["paragraphs"]] == ["昨天,县里召开冬修会议,部署清淤。"]


def test_an_issue_of_several_files_has_spans_that_name_the_file() -> None:
    output = as_json(split(Document((Source("p1.txt", FIRST, 1), Source("p2.txt", SECOND, 2)))))

    second = output["articles"][1]
    ((file, start, end),) = second["spans"]["headline"]
    assert (file, SECOND[start:end]) == (1, "老街菜场装上公平秤")
    assert second["page"] == 2


def test_an_article_says_all_that_is_known_of_it_in_plain_values() -> None:
    output = json.loads(json.dumps(as_json(split(Document((Source("p1.txt", FIRST, 1),))))))

    assert (output["publication"], output["date"], output["weekday"]) == ("青岚日报", "2026-11-19", "星期四")
    assert output["furniture"] == ["青岚日报", "2026年11月19日 星期四"]
    article = output["articles"][0]
    assert article["headline_source"] == "printed"
    assert article["byline"] == {
        "reporters": ["程曦"],
        "correspondents": [],
        "photographers": [],
        "raw": "本报讯 (记者 程曦)",
    }
    assert article["dateline"] == {"place": None, "date": None, "raw": ""}
    assert article["jump"] == {"to_page": None, "from_page": None, "raw": [], "joined": False}
    assert (article["kind"], article["page"], article["section"]) == ("article", 1, None)
    assert article["paragraphs"] == ["昨天，县里召开冬修会议，部署清淤。"]
