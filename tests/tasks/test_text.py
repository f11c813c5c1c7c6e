import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.characters import storable
from tasks.text import clean_address, clean_line, clean_text, decode_entities

# Letters of references, separators and accents beside anything at all: what nested encodings are made of.
NASTY = st.text(st.one_of(st.sampled_from("&#;xamplt386\u037e\u00ad\u0301\n \u00a0\u200b\ud83d\r"), st.characters()))


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("a\x00b\ud83dc\ufeffd\u200be\u00adf\u2060g\ufffch\x07i\ufdd0j", "abcdefghij"),
        ("Hafen\u00adverwal\u00adtung", "Hafenverwaltung"),
        ("sex\u2011trafficking and self\u2010styled", "sex-trafficking and self-styled"),
        ("10\u00a0000\u202f€\u3000\u2009now", "10 000 € now"),
        ("  two \t words\r\n and\u2028lines ", "two words and lines"),
        ("\u0096 and o\u0092clock\u0085", "– and o’clock…"),
        ("می\u200cشود", "می\u200cشود"),
        ("👩\u200d🔬 ❤\ufe0f", "👩\u200d🔬 ❤\ufe0f"),
        ("\u202aOPEN\u202c\u2066x\u2069", "OPENx"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("e\u00ad\u0301", "\u00e9"),
        ("9\u201312 o\u2019clock \u2014 \u201cyes\u201d", "9\u201312 o\u2019clock \u2014 \u201cyes\u201d"),
    ],
)
def test_characters(given_: str, wanted: str) -> None:
    assert clean_line(given_) == wanted


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;amp;T", "AT&T"),
        ("&amp;#38;lt;b&amp;gt;", "<b>"),
        ("caf&amp;eacute;", "café"),
        ("9&#150;12 o&#146;clock", "9–12 o’clock"),
        ("&#0;&#xD83D;&#x110000;", "\ufffd\ufffd\ufffd"),
        ("Hafen&shy;verwaltung&nbsp;&zwnj;", "Hafenverwaltung \u200c"),
        ("&&#97;mp;lt;", "<"),
        ("&amp&semi;lt;", "<"),
        ("?a=1&copy=2&section=3", "?a=1&copy=2&section=3"),
        ("R&D; and &nosuchname; stay", "R&D; and &nosuchname; stay"),
    ],
)
def test_entities_as_often_as_they_were_encoded(given_: str, wanted: str) -> None:
    assert decode_entities(given_) == wanted


def test_a_semicolon_in_another_form_ends_a_reference() -> None:
    assert clean_line("AT&amp\u037eT") == "AT&T"


def test_deep_nesting_costs_one_pass() -> None:
    assert clean_line("&" + "amp;" * 200_000 + "lt;") == "<"


def test_structure_is_kept_where_asked() -> None:
    assert clean_text(" one \r\n two  words\n\n \t\n\n three\u2029four\n") == "one\ntwo words\n\nthree\n\nfour"


def test_an_address_keeps_its_letters() -> None:
    assert clean_address(" https://a.example/e\u0301?x=1&amp;y=2\n") == "https://a.example/e\u0301?x=1&y=2"


@given(NASTY)
def test_cleaning_is_idempotent(text: str) -> None:
    assert clean_line(clean_line(text)) == clean_line(text)
    assert clean_text(clean_text(text)) == clean_text(text)


@given(NASTY)
def test_what_is_clean_can_be_stored_and_is_nfc(text: str) -> None:
    for cleaned in (clean_line(text), clean_text(text)):
        assert cleaned == storable(cleaned)
        assert cleaned.encode("utf-8").decode("utf-8") == unicodedata.normalize("NFC", cleaned)
        assert "\r" not in cleaned
    assert "\n" not in clean_line(text)


@given(NASTY)
def test_the_line_is_the_text_without_its_structure(text: str) -> None:
    assert clean_line(clean_text(text)) == clean_line(text)
