"""Characters: two views of a printed text, one for matching and one for reading.

`canonical` keeps every character at its place, so that what is matched in it can be pointed at
in the source. `readable` is what a reader gets: full-width punctuation, curly quotation marks,
no blanks inside Han text.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CJK = (
    HAN + "\u3001-\u3003\u3008-\u301f\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65…—“”‘’《》【】"
)
STOPS = "。!?"

_is_han = re.compile(f"[{HAN}]").match


def _canonical_table() -> dict[int, str]:
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= {ord(c): '"' for c in "“”„‟〝〞″"} | {ord(c): "'" for c in "‘’‚′`´"}
    table |= {ord(c): "(" for c in "〔【［〖"} | {ord(c): ")" for c in "〕】］〗"}
    table |= {ord(c): "—" for c in "―─–━"} | {ord(c): "·" for c in "•・‧∙･"}
    # the trade's own words in traditional script: 記者 通訊員 報導 攝 編輯 責編 電話 下轉 總第 農曆
    table |= {
        ord(a): b
        for a, b in zip(
            "記員報導攝訊編輯責電話轉總農曆圖閏臘", "记员报导摄讯编辑责电话转总农历图闰腊", strict=True
        )
    }
    table |= {ord("｡"): "。", ord("､"): "、", ord("*"): " "}
    blanks = [c for c in range(0x3001) if chr(c).isspace() or unicodedata.category(chr(c)) in ("Cc", "Cf")]
    return table | dict.fromkeys((*blanks, 0xFEFF), " ")


_CANONICAL = _canonical_table()
_OFTEN = 400  # characters: what is shorter is looked at by one rule after the other


def canonical(text: str) -> str:
    """The same text, character for character, with half-width marks, straight quotes and plain blanks."""
    return _canonical(text) if len(text) <= _OFTEN else text.translate(_CANONICAL)


@lru_cache(maxsize=8192)
def _canonical(text: str) -> str:
    return text.translate(_CANONICAL)


def squeezed(text: str) -> str:
    """The canonical text with runs of blanks made one."""
    return " ".join(canonical(text).split())


def as_printed(text: str) -> str:
    """The text itself, with the same blanks as its `squeezed` form, place for place."""
    line = canonical(text)
    return " ".join(text[word.start() : word.end()] for word in re.finditer(r"[^ ]+", line))


def flat(text: str) -> str:
    """The canonical text without any blank."""
    return "".join(canonical(text).split())


def is_blank(char: str) -> bool:
    """White space, a control or a formatting character: printed as nothing."""
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf")


def is_han(char: str) -> bool:
    """A Chinese character; punctuation is none."""
    return _is_han(char) is not None


# ── for reading ──────────────────────────────────────────────────────────────────────────

_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_MARKDOWN = re.compile(r"\*{2,}|(?<![\w)])\*|\*(?![\w(])")
_BLANKS = re.compile(r"[^\S\n]+|\s+")
_HAN_BLANK = re.compile(f"(?<=[{_CJK}]) | (?=[{_CJK}])")
_NUMBER_BLANK = re.compile(r"(?<=\d[.,]) (?=\d)")
_BEFORE_MARK = re.compile(r" (?=[,;:!?)%、。])")
_MARK = re.compile(r"[,;:!?().]")
_FULL = str.maketrans(",;:!?().", "，；：！？（）。")
_DASHES = re.compile(r"--+|──+|―+")
_SPACED_HAN = re.compile(f"(?<![{HAN}])[{HAN}](?: [{HAN}])+(?![{HAN}])")
_TITLE_BLANK = re.compile(f"(?<=[{HAN}”’」』》）！？…]) (?=[{HAN}“‘「『《（])")
_LATIN_BLANK = re.compile(f"(?<=[A-Za-z]) (?=[{HAN}])|(?<=[{HAN}]) (?=[A-Za-z])")
_HYPHENATED = re.compile(r"(?<=[a-z])- (?=[a-z])")


def readable(pieces: Iterable[str], *, title: bool = False) -> str:
    """The printed pieces as one text to be read; in a title a blank between Han words means something.

    What is read once more stays as it is: a mark made full or dropped may leave another one to mend beside it.
    """
    text, before = "\n".join(pieces), None
    while text != before:
        text, before = _mended(text, title=title), text
    return text


def _mended(text: str, *, title: bool) -> str:
    text = _MARKDOWN.sub(" ", _UNPRINTED.sub(" ", text))
    text = " ".join(text.split())
    if not any(map(is_han, text)):
        return _HYPHENATED.sub("-", text)  # the hyphen stays: nobody knows which ones were the word's own
    if title:
        text = _SPACED_HAN.sub(lambda m: m.group().replace(" ", ""), text)
        text = _LATIN_BLANK.sub("\n", _TITLE_BLANK.sub("\n", text))
    text = _BEFORE_MARK.sub("", _NUMBER_BLANK.sub("", _HAN_BLANK.sub("", text)))
    text = _curled(_widened(_DASHES.sub(lambda m: "—" * len(m.group()), text)))
    return _HAN_BLANK.sub("", text).replace("\n", " ").strip()


def _widened(text: str) -> str:
    """Half-width marks made full where they stand in Chinese: not in numbers, times, Latin and addresses."""
    out: list[str] = []
    brackets: list[bool] = []
    last = 0
    for found in _MARK.finditer(text):
        i, mark = found.start(), found.group()
        before, after = text[i - 1 : i], text[i + 1 : i + 2]
        if mark == "(":
            wide = not (_is_latin(before) and _is_latin(after))
            brackets.append(wide)
        elif mark == ")":
            wide = brackets.pop() if brackets else not _is_latin(before)
        elif mark == ".":
            wide = is_han(before) and not (after.isascii() and after.isalnum())
        elif before.isascii() and before.isalnum() and after.isascii() and (after.isalnum() or after in "/ "):
            wide = False
        else:
            wide = bool(before)
        if wide:
            out += text[last:i], mark.translate(_FULL)
            last = i + 1
    return "".join((*out, text[last:]))


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalpha()


_OPENING = re.compile(r"[：，、（《“‘「\s:,(\n—]$|^$")
_CLOSING = re.compile(r"^[，。；：！？、）》”’」\s,;:!?.)\n]|^$")


def _curled(text: str) -> str:
    """Straight quotation marks paired over the whole text; a lost one shifts no other."""
    for straight, opening, closing in (('"', "“", "”"), ("'", "‘", "’")):
        if straight not in text:
            continue
        out: list[str] = []
        inside, pieces = False, text.split(straight)
        for left, right in pairwise(pieces):
            out.append(left)
            if straight == "'" and _is_latin(left[-1:]) and (_is_latin(right[:1]) or right[:1] in " "):
                out.append("’")  # an apostrophe
                continue
            can_open = not inside or (_OPENING.search(left[-1:]) and not _CLOSING.search(right[:1]))
            shut = inside and not can_open
            if not inside and left[-1:] in "。！？" and _CLOSING.search(right[:1]) and left[-1:]:
                shut = True  # its opening mark was lost
            out.append(closing if shut else opening)
            inside = not shut
        text = "".join((*out, pieces[-1]))
    return text
