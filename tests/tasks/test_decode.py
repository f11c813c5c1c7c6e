"""Decoding by the WHATWG order."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.decode import decode

GERMAN = "Die Fähre fährt wieder über den Fluß."


def test_header_goes_before_meta() -> None:
    body = f'<meta charset="iso-8859-1"><p>{GERMAN}'.encode()
    found = decode(body, "text/html; charset=UTF-8")
    assert (GERMAN in found.text, found.encoding, found.source) == (True, "utf-8", "header")


def test_bom_goes_before_header() -> None:
    found = decode(b"\xef\xbb\xbf" + GERMAN.encode(), "text/html; charset=windows-1252")
    assert (found.text, found.source) == (GERMAN, "bom")


def test_latin1_means_windows_1252() -> None:
    found = decode(b'<meta charset="iso-8859-1"><p>2.80 \x80 \x96 \x93half\x94 \x81', None)
    assert "2.80 € – “half” \x81" in found.text


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [("gb2312", "gb18030", "林朱镕远囍€"), ("Shift_JIS", "cp932", "髙橋①㈱"), ("EUC-KR", "cp949", "똠방각하")],
)
def test_labels_name_the_wider_encoding(label: str, codec: str, text: str) -> None:
    head = f'<meta content="text/html; charset={label}" http-equiv="Content-Type">'.encode()
    assert text in decode(head + text.encode(codec), None).text


def test_meta_in_a_comment_does_not_count() -> None:
    found = decode(b'<!-- <meta charset="shift_jis"> --><meta charset="windows-1251">' + "Паром".encode("cp1251"), None)
    assert "Паром" in found.text


def test_wrong_header_over_valid_utf8_is_not_believed() -> None:
    found = decode(GERMAN.encode(), "text/html; charset=iso-8859-1")
    assert (found.text, found.source) == (GERMAN, "utf-8")


def test_statistics_see_past_ascii_script() -> None:
    text = "Совет города проголосовал за открытие старой паромной переправы. " * 4
    body = b"<script>" + b"var a = 1;" * 3000 + b"</script><p>" + text.encode("cp1251")
    found = decode(body, None)
    assert (text in found.text, found.source) == (True, "detector")


def test_damaged_utf8_stays_utf8() -> None:
    found = decode(GERMAN.encode() * 20 + b"\xff end", None)
    assert found.text == GERMAN * 20 + "\ufffd end"


def test_utf8_cut_inside_a_character() -> None:
    assert decode(("ü" * 300).encode()[:-1], None).text == "ü" * 299 + "\ufffd"


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=40)))
def test_never_raises_and_text_is_storable(body: bytes, content_type: str | None) -> None:
    decode(body, content_type).text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("opening", [b"<", b"<!--", b"<meta ", b"<p "])
def test_openings_without_end_take_no_time(opening: bytes) -> None:
    began = time.process_time()
    body = f"<p>{GERMAN}</p>".encode("latin-1") + opening * (2_000_000 // len(opening))
    assert GERMAN in decode(body, None).text
    assert time.process_time() - began < 2
