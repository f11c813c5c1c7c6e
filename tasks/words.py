"""Splits a text into words that can be compared: blind to case, white space, punctuation and typography."""

import re
import unicodedata
from functools import cache

# Scripts written without spaces: each character stands for itself, so that line breaks and spaces mean nothing.
_IDEOGRAPHS = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SYLLABLES = "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_SYLLABLE_LETTERS_PER_WORD = 5
"""About the length of a Thai word: there is no cheap exact count without a dictionary."""

# A price, a share and a sign change what a number says, so they are kept where punctuation is not.
SYMBOLS = "$€£¥₹₽₩₺₴¢%‰"
"""Each is a word of its own."""
_INVISIBLE = dict.fromkeys([0x034F, 0x061C, 0x200C, 0x200D, 0x200E, 0x200F, *range(0xFE00, 0xFE10)])
_MINUS = {0x2212: "-"}
_ODD = re.compile("[\u034f\u061c\u200c-\u200f\u2212\ufe00-\ufe0f]")
_BEYOND_LATIN = re.compile("[^\x00-\u02ff\u2000-\u206f\u20a0-\u20cf]")
_IDEOGRAPH, _SYLLABLE = re.compile(f"[{_IDEOGRAPHS}]"), re.compile(f"[{_SYLLABLES}]")
_RUN = re.compile(r"[^\W_]\S*")
"""A run between spaces, from its first letter or figure on."""


def tokens(text: str) -> list[str]:
    """The words of a text in order, folded by NFKC and case; a character of Chinese, Japanese or Thai is one word."""
    text = compatible(text).casefold()
    return _pattern_for(text).findall(text)


def written(text: str) -> list[str]:
    """The words of a text in order, folded by NFKC but not by case; each line break stands among them."""
    text = compatible(text)
    return _pattern_for(text, breaks=True).findall(text)


def fold(text: str) -> str:
    """The text as its words and nothing else, one space between them."""
    return " ".join(tokens(text))


def word_count(text: str) -> int:
    """How many words a text has: runs between spaces; each ideograph or kana; an estimate for Thai and its like."""
    words = syllables = 0
    for line in text.splitlines():  # a list of all words of a long text would take many times its size
        if not is_latin(line):
            line, ideographs = _IDEOGRAPH.subn(" ", line)  # noqa: PLW2901 - what is left of it
            line, letters = _SYLLABLE.subn(" ", line)  # noqa: PLW2901 - likewise
            words, syllables = words + ideographs, syllables + letters
        words += len(_RUN.findall(line))
    return words + -(-syllables // _SYLLABLE_LETTERS_PER_WORD)


def is_latin(text: str) -> bool:
    """Whether all letters are Latin ones without combining marks."""
    return text.isascii() or _BEYOND_LATIN.search(text) is None


def has_digit(token: str) -> bool:
    """Whether a word is or holds a number."""
    return any(map(str.isdigit, token))


def compatible(text: str) -> str:
    """The text in compatible characters (NFKC), without those that nobody sees."""
    if text.isascii():
        return text
    if _ODD.search(text):  # rare, and to look for them is much faster than to translate
        text = text.translate(_INVISIBLE | _MINUS)
    return unicodedata.normalize("NFKC", text)


def _pattern_for(text: str, *, breaks: bool = False) -> re.Pattern[str]:
    return _pattern(plain=is_latin(text), breaks=breaks)


@cache
def _pattern(*, plain: bool, breaks: bool) -> re.Pattern[str]:
    """What a word is. Plain text, in Latin letters without combining marks, is split in a third of the time."""
    letter = "[^\\W_]" if plain else f"[^\\W_{_IDEOGRAPHS}{_SYLLABLES}]"
    word = f"{letter}+" if plain else f"{letter}(?:{letter}|[{_marks()}])*"
    single = f"[{SYMBOLS}]" if plain else f"[{SYMBOLS}]|[{_IDEOGRAPHS}{_SYLLABLES}]"
    signed = f"(?:(?<=[\\s(])|^)[-+](?=\\d){word}"
    return re.compile("|".join([word, single, signed, *(["\\n"] if breaks else [])]))


def _marks() -> str:
    """Combining marks: `\\w` leaves out the vowel signs of Indic scripts, which would break their words."""
    spoken_for = re.compile(f"[{_SYLLABLES}\ufe00-\ufe0f\u034f\u3099\u309a]")
    marks = (chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M")
    return "".join(mark for mark in marks if not spoken_for.match(mark))
