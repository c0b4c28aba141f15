from __future__ import annotations

from pathlib import Path

from syndicate.deliver import fonts

NOWHERE = "/nowhere/fc-list"


def laid(folder: Path, *names: str) -> tuple[Path, ...]:
    files = tuple(folder / name for name in names)
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return files


def listing(folder: Path, *files: str) -> str:
    """A program that answers as fc-list does."""
    program = folder / "fc-list"
    program.write_text("#!/bin/sh\ncat <<'END'\n" + "".join(f"{file}\n" for file in files) + "END\n")
    program.chmod(0o755)
    return str(program)


def test_what_fontconfig_knows_is_taken_regular_before_bold(tmp_path: Path) -> None:
    program = listing(
        tmp_path,
        "/fonts/DejaVuSans.ttf",
        "/fonts/NotoSerifCJK-Bold.ttc",
        "/fonts/NotoSansCJK-Regular.ttc",
        "/fonts/NotoSerifCJK-Regular.ttc",
        "/fonts/NotoSerifCJK-Regular.ttc",
    )

    found = fonts.installed((), program)

    assert found == (Path("/fonts/NotoSerifCJK-Regular.ttc"), Path("/fonts/NotoSerifCJK-Bold.ttc"))


def test_folders_are_searched_where_there_is_no_fontconfig(tmp_path: Path) -> None:
    zenhei, *_ = laid(tmp_path, "truetype/wqy/wqy-zenhei.ttc", "truetype/other/Other.ttf")

    assert fonts.installed((tmp_path / "absent", tmp_path), NOWHERE) == (zenhei,)


def test_folders_are_searched_where_fontconfig_knows_none(tmp_path: Path) -> None:
    files = laid(tmp_path / "fonts", "SourceHanSansSC-Regular.otf", "SourceHanSansSC-Bold.otf")

    assert fonts.installed((tmp_path,), listing(tmp_path, "/fonts/DejaVuSans.ttf")) == files


def test_a_family_without_its_regular_font_is_none(tmp_path: Path) -> None:
    laid(tmp_path, "NotoSerifCJK-Bold.ttc")
    (uming,) = laid(tmp_path, "uming.ttc")

    assert fonts.installed((tmp_path,), NOWHERE) == (uming,)


def test_a_machine_may_have_none(tmp_path: Path) -> None:
    laid(tmp_path, "DejaVuSans.ttf")

    assert fonts.installed((tmp_path,), NOWHERE) is None
