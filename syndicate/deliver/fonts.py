"""Which open font for Chinese this machine has: for pictures and PDF, which cannot leave that to the reader."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

# Open fonts by the files they come in (SIL OFL 1.1, Apache-2.0, GPL with the font exception, Arphic), best first:
# those cut for print before those for screens. Regular, then bold. Variable fonts are not here: typst sets them light.
FAMILIES = (
    ("NotoSerifCJK-Regular.ttc", "NotoSerifCJK-Bold.ttc"),  # Debian fonts-noto-cjk
    ("NotoSerifCJKsc-Regular.otf", "NotoSerifCJKsc-Bold.otf"),
    ("NotoSerifSC-Regular.otf", "NotoSerifSC-Bold.otf"),
    ("SourceHanSerif-Regular.ttc", "SourceHanSerif-Bold.ttc"),
    ("SourceHanSerifSC-Regular.otf", "SourceHanSerifSC-Bold.otf"),
    ("SourceHanSerifCN-Regular.otf", "SourceHanSerifCN-Bold.otf"),
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    ("NotoSansCJKsc-Regular.otf", "NotoSansCJKsc-Bold.otf"),
    ("NotoSansSC-Regular.otf", "NotoSansSC-Bold.otf"),
    ("SourceHanSans-Regular.ttc", "SourceHanSans-Bold.ttc"),
    ("SourceHanSansSC-Regular.otf", "SourceHanSansSC-Bold.otf"),
    ("SourceHanSansCN-Regular.otf", "SourceHanSansCN-Bold.otf"),
    ("wqy-zenhei.ttc",),  # Debian fonts-wqy-zenhei
    ("wqy-microhei.ttc",),  # Debian fonts-wqy-microhei
    ("uming.ttc",),  # Debian fonts-arphic-uming
    ("DroidSansFallbackFull.ttf",),  # Debian fonts-droid-fallback
)
FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/opt/homebrew/share/fonts"))

_TIMEOUT = 20.0  # seconds: fontconfig reads every font on the machine when its cache is cold


def installed(folders: Sequence[Path] = FOLDERS, program: str = "fc-list") -> tuple[Path, ...] | None:
    """The files of the best family there is, regular before bold; None when the machine has none.

    Asks fontconfig first, and looks into `folders` where it is missing or knows none.
    """
    return _best(_listed(program)) or _best(_lying_in(folders))


def _best(files: Iterable[Path]) -> tuple[Path, ...] | None:
    found = {file.name: file for file in sorted(files, reverse=True)}  # of two of a name, always the same one
    family = next((names for names in FAMILIES if names[0] in found), ())
    return tuple(found[name] for name in family if name in found) or None


def _listed(program: str) -> list[Path]:
    """What fontconfig lists for simplified Chinese; nothing where it is not installed or does not answer."""
    try:
        said = subprocess.run(  # noqa: S603  # a name of our own, no shell
            [program, "--format", "%{file}\n", ":lang=zh-cn"],
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [Path(name) for name in said.decode(errors="replace").splitlines() if name]


def _lying_in(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from folder.rglob("*.[to]t[cf]")
