"""Settings: the environment over config/, and every mistake named."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from syndicate.errors import SettingsError
from syndicate.model import Limit, MessageForm, OfficialAccount, Publication, Robot, RobotKind
from syndicate.services import open_services
from syndicate.settings import CHECKOUT, Settings, load, publications

PAPER = '[[section]]\nslug = "all"\ntitle = "全部"\n'


def config(tmp_path: Path, settings: str = "", paper: str = 'title = "青岚日报"\n' + PAPER) -> dict[str, str]:
    (tmp_path / "publications").mkdir()
    (tmp_path / "publications" / "qinglan.toml").write_text(paper, encoding="utf-8")
    (tmp_path / "syndicate.toml").write_text(settings, encoding="utf-8")
    return {"SYNDICATE_CONFIG": str(tmp_path)}


def test_every_setting_stands_in_the_file_and_in_the_docs() -> None:
    names = {f.name for f in fields(Settings)} - {
        "publications",
        "mail_limits",
    }  # these have files of their own
    written = tomllib.loads((CHECKOUT / "config" / "syndicate.toml").read_text(encoding="utf-8"))
    docs = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert set(written) == names
    assert [name for name in names if f"`{name}`" not in docs] == []


def test_every_key_of_a_publication_stands_in_the_docs() -> None:
    docs = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")

    names = {f.name for f in fields(Publication)} - {"slug", "sections", "robots"}
    names |= {f.name for f in (*fields(Robot), *fields(OfficialAccount))}

    assert [name for name in names if f"`{name}`" not in docs] == []


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env = config(tmp_path, "port = 9000\nhost = '0.0.0.0'\n")

    settings = load({**env, "SYNDICATE_PORT": "9001"})

    assert (settings.host, settings.port) == ("0.0.0.0", 9001)
    assert settings.base_url == "http://0.0.0.0:9001"


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")

    settings = load({**config(tmp_path), "SYNDICATE_SECRET_FILE": str(tmp_path / "secret")})

    assert settings.secret == "hush"


def test_the_database_lies_in_the_service_s_folder_unless_named(tmp_path: Path) -> None:
    settings = load({**config(tmp_path), "SYNDICATE_DATA": str(tmp_path / "here")})

    assert settings.database_url == f"sqlite:///{tmp_path}/here/syndicate.sqlite"


@pytest.mark.parametrize(
    ("settings", "env", "named"),
    [
        ("prot = 1\n", {}, "unknown setting 'prot'"),
        ("port = 'x'\n", {}, "SYNDICATE_PORT: expected int, got 'x'"),
        ("port = true\n", {}, "SYNDICATE_PORT: expected int"),
        ("port = [\n", {}, "not valid TOML"),
        ("", {"SYNDICATE_PROT": "1"}, "unknown setting SYNDICATE_PROT"),
        (
            "",
            {"SYNDICATE_DEVELOPMENT": "maybe"},
            "SYNDICATE_DEVELOPMENT: expected true or false, got 'maybe'",
        ),
        (
            "",
            {"SYNDICATE_SECRET_FILE": "/nowhere/at/all"},
            "SYNDICATE_SECRET_FILE: cannot read /nowhere/at/all",
        ),
        ("base_url = 'paper.example'\n", {}, "SYNDICATE_BASE_URL: expected http(s)://host"),
        ("base_url = 'https://paper.example/sub'\n", {}, "SYNDICATE_BASE_URL: expected http(s)://host"),
        ("mail_from = 'nobody'\n", {}, "SYNDICATE_MAIL_FROM: expected an e-mail address"),
        (
            "bounce_address = 'a+b@paper.example'\n",
            {},
            "SYNDICATE_BOUNCE_ADDRESS: expected an address such as",
        ),
        ("bounce_address = 'bounces'\n", {}, "SYNDICATE_BOUNCE_ADDRESS: expected an address such as"),
        (
            "bounce_mailbox = 'imap://me:hush@mail.example'\n",
            {},
            "SYNDICATE_BOUNCE_MAILBOX: expected imaps://",
        ),
        (
            "bounce_mailbox = 'pop3://me:hush@mail.example'\n",
            {},
            "SYNDICATE_BOUNCE_MAILBOX: expected imaps://",
        ),
        ("tick_seconds = 0\n", {}, "SYNDICATE_TICK_SECONDS: expected more than 0"),
        ("tick_seconds = nan\n", {}, "SYNDICATE_TICK_SECONDS: expected more than 0"),
        ("web_workers = 0\n", {}, "SYNDICATE_WEB_WORKERS: expected at least 1"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, settings: str, env: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as error:
        load({**config(tmp_path, settings), **env})

    assert named in str(error.value)
    assert "\n" not in str(error.value).replace("TOML: ", "")
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("paper", "named"),
    [
        (PAPER, "title is missing"),
        ('title = "x"\n', "needs at least one [[section]]"),
        ('title = "x"\ncolour = 1\n' + PAPER, "unknown key 'colour'"),
        ('title = "x"\nzone = "Asia/Qinglan"\n' + PAPER, "no such time zone: 'Asia/Qinglan'"),
        ('title = "x"\nprint_time = "06:00"\n' + PAPER, "print_time: expected a time"),
        ('title = "x"\n[[section]]\nslug = "要闻"\ntitle = "x"\n', "slug '要闻'"),
        (
            'title = "x"\n[[section]]\nslug = "a"\ntitle = "x"\npages = ["one"]\n',
            "pages: expected whole numbers in a list",
        ),
        ('title = "x"\n[[section]]\nslug = "a"\ntitle = "x"\nwords = "茶"\n', "words: expected a list"),
        ('title = "x"\nweekly_day = 7\n' + PAPER, "weekly_day: expected 0 (Monday) to 6"),
        ('title = "x"\nhost = "a b"\n' + PAPER, "host: expected a host name"),
        ('title = "x"\nprint_days = [7]\n' + PAPER, "print_days: expected a list of days"),
        ('title = "x"\nlanguage = "xx-YY"\n' + PAPER, "language: expected a language"),
        ('title = "x"\npublisher = 1\n' + PAPER, "publisher: expected a text"),
        ('title = "x"\nslug = "other"\n' + PAPER, "the file's name is the slug"),
        ('title = "x"\n' + PAPER + PAPER, "two sections have the slug 'all'"),
    ],
)
def test_a_wrong_newspaper_file_is_named(tmp_path: Path, paper: str, named: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(config(tmp_path, paper=paper))

    assert named in str(error.value)
    assert "qinglan.toml" in str(error.value)


def test_secrets_of_robots_stand_in_files_or_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6\n")
    robots = """
[[robot]]
name = "readers"
kind = "wecom"
url_file = "../key"
[[robot]]
name = "editors"
kind = "dingtalk"
url_env = "DING"
secret = "SEC"
feed = "section-all"
form = "text"
corrections = false
[official_account]
appid = "wx1"
secret_env = "WX"
"""
    env = config(tmp_path, paper='title = "青岚日报"\n' + PAPER + robots)

    paper = load(
        {**env, "DING": "https://oapi.dingtalk.com/robot/send?access_token=9d", "WX": "hush"}
    ).publications[0]

    readers, editors = paper.robots
    assert readers == Robot(
        "readers", RobotKind.WECOM, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6"
    )
    assert (editors.form, editors.section, editors.corrections) == (MessageForm.TEXT, "all", False)
    assert paper.official_account == OfficialAccount("wx1", "hush")
    shown = repr((paper, paper.robots, paper.official_account)) + readers.masked
    assert not any(secret in shown for secret in ("693a91f6", "hush", "9d", "SEC"))
    assert readers.masked == "qyapi.weixin.qq.com/…91f6"


ROBOT = 'title = "x"\n' + PAPER + '[[robot]]\nname = "r"\nkind = "wecom"\n'


@pytest.mark.parametrize(
    ("paper", "named"),
    [
        (ROBOT, "robot r: url: expected https://…"),
        (ROBOT + 'url = "ftp://k3y"\n', "robot r: url: expected https://…"),
        (ROBOT + "url = 7\n", "robot r: url: expected a text"),
        (ROBOT + 'url_file = "nowhere"\n', "robot r: url_file: cannot read nowhere"),
        (ROBOT + 'url_env = "NOWHERE"\n', "robot r: url_env: NOWHERE is not in the environment"),
        (ROBOT + 'url = "https://a/"\nfeed = "section-none"\n', "robot r: feed: expected all or section-all"),
        (ROBOT + 'url = "https://a/"\nform = "voice"\n', "robot r: form: expected news or markdown or text"),
        (ROBOT + 'url = "https://a/"\nloud = true\n', "robot r: unknown key 'loud'"),
        (ROBOT + 'url = "https://a/"\ncorrections = "no"\n', "robot r: corrections: expected true or false"),
        (ROBOT.replace("wecom", "icq") + 'url = "https://a/"\n', "robot r: kind: expected wecom or feishu"),
        (ROBOT.replace('"r"', '"official-account"'), "robot: name: expected a-z"),
        (ROBOT.replace("[[robot]]", "[robot]"), "write each robot as [[robot]]"),
        ('title = "x"\nrobots = []\n' + PAPER, "write each robot as [[robot]]"),
        (
            (ROBOT + 'url = "https://a/"\n') + ROBOT[ROBOT.index("[[robot]]") :] + 'url = "https://a/"\n',
            "two robots have the name 'r'",
        ),
        (
            'title = "x"\n' + PAPER + '[official_account]\nappid = "wx"\n',
            "official_account: secret: expected a text",
        ),
        (
            'title = "x"\n' + PAPER + '[official_account]\nappid = "wx"\nsecret = "s"\ntitle_limit = 99\n',
            "official_account: title_limit: expected 4 to 64",
        ),
    ],
)
def test_a_wrong_robot_is_named_without_its_secret(tmp_path: Path, paper: str, named: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(config(tmp_path, paper=paper))

    assert named in str(error.value)
    assert "qinglan.toml" in str(error.value)
    assert "k3y" not in str(error.value)


def test_a_newspaper_does_not_take_an_address_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text('title = "x"\n' + PAPER)

    with pytest.raises(SettingsError, match=r"desk.toml: /desk is an address of the site's own"):
        publications(tmp_path)


def test_an_empty_secret_signs_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()

    with pytest.raises(SettingsError, match="secret: it is empty; remove it"):
        open_services(load({"SYNDICATE_DATA": str(tmp_path)}))


def test_no_newspaper_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no newspaper is described here"):
        publications(tmp_path)


def test_the_bundled_newspapers_are_complete() -> None:
    papers = {p.slug: p for p in publications(CHECKOUT / "config" / "publications")}

    assert papers["qinglan"].title == "青岚日报"
    assert papers["jinriqujiang"].names == ("JIN RI QU JIANG",)
    assert all(p.sections[-1].pages == () for p in papers.values())


def test_what_domains_take_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    env = config(tmp_path)
    usual = load(env).mail_limits
    assert usual["qq.com"].per_second
    assert {"163.com", "gmail.com"} <= usual.keys()

    (tmp_path / "domains.toml").write_text('"QQ.com" = { per_second = 9, connections = 3 }')
    assert dict(load(env).mail_limits) == {"qq.com": Limit(9, 3)}

    (tmp_path / "domains.toml").write_text('"qq.com" = { per_minute = 9 }')
    with pytest.raises(SettingsError, match=r"domains\.toml: qq\.com"):
        load(env)
