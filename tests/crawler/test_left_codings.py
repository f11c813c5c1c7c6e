"""Bodies whose coding was undone on the way while its name stayed."""

import zlib

import pytest

from crawler.coding import CutShort, decode

PAGE = b"\xef\xbb\xbf\n<!DOCTYPE html><html><body><p>The ferries ran on time.</p></body></html>"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_plain_markup_under_the_name_of_a_coding_is_read(name: str) -> None:
    assert decode(PAGE, [name], 1_000) == PAGE


def test_markup_in_two_codings_of_which_one_is_gone() -> None:
    assert decode(zlib.compress(PAGE), ["deflate, br", "deflate"], 1_000) == PAGE


def test_what_is_neither_coded_nor_markup_is_no_body() -> None:
    with pytest.raises(CutShort):
        decode(b"<" + PAGE[:1] * 50, ["br"], 1_000)
