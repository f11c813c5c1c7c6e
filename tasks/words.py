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
_SYMBOLS = "$€£¥₹₽₩₺₴¢%‰"
_INVISIBLE = dict.fromkeys([0x034F, 0x061C, 0x200C, 0x200D, 0x200E, 0x200F, *range(0xFE00, 0xFE10)])
_MINUS = {0x2212: "-"}


def tokens(text: str) -> list[str]:
    """The words of a text in order, folded by NFKC and case; a character of Chinese, Japanese or Thai is one word."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE | _MINUS))
    return _pattern().findall(text.casefold())


def fold(text: str) -> str:
    """The text as its words and nothing else, one space between them."""
    return " ".join(tokens(text))


def word_count(text: str) -> int:
    """How many words a text has: runs between spaces; each ideograph or kana; an estimate for Thai and its like."""
    ideographs = len(re.findall(f"[{_IDEOGRAPHS}]", text))
    syllables = len(re.findall(f"[{_SYLLABLES}]", text))
    rest = re.sub(f"[{_IDEOGRAPHS}{_SYLLABLES}]", " ", text)
    spaced = sum(1 for chunk in rest.split() if any(map(str.isalnum, chunk)))
    return spaced + ideographs + -(-syllables // _SYLLABLE_LETTERS_PER_WORD)


def has_digit(token: str) -> bool:
    """Whether a word is or holds a number."""
    return any(map(str.isdigit, token))


@cache
def _pattern() -> re.Pattern[str]:
    letter = f"[^\\W_{_IDEOGRAPHS}{_SYLLABLES}]"
    word = f"{letter}(?:{letter}|[{_marks()}])*"
    return re.compile(f"[{_IDEOGRAPHS}{_SYLLABLES}]|(?:(?<=[\\s(])|^)[-+](?=\\d){word}|{word}|[{_SYMBOLS}]")


def _marks() -> str:
    """Combining marks: `\\w` leaves out the vowel signs of Indic scripts, which would break their words."""
    spoken_for = re.compile(f"[{_SYLLABLES}\ufe00-\ufe0f\u034f\u3099\u309a]")
    marks = (chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M")
    return "".join(mark for mark in marks if not spoken_for.match(mark))
