import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.coding import CutShort, TooLarge, decode, known, library

TEXT = b"The ferries ran on time for the first week in June. " * 400
CODED = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": library("brotli", "brotlicffi").compress(TEXT),
    "zstd": library("compression.zstd", "backports.zstd").compress(TEXT),
}


@pytest.mark.parametrize("name", CODED)
def test_each_coding_is_undone(name: str) -> None:
    assert decode(CODED[name], [name], len(TEXT)) == TEXT


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_stream_cut_short_is_no_body(name: str, share: float) -> None:
    with pytest.raises(CutShort):
        decode(CODED[name][: int(len(CODED[name]) * share)], [name], len(TEXT))


@pytest.mark.parametrize("name", CODED)
def test_a_bomb_stops_at_the_limit(name: str) -> None:
    with pytest.raises(TooLarge):
        decode(CODED[name], [name], len(TEXT) - 1)


def test_codings_are_undone_in_reverse() -> None:
    assert decode(zlib.compress(CODED["gzip"]), ["gzip, deflate"], 99_999) == TEXT


def test_several_members_are_one_body_and_what_follows_is_none() -> None:
    assert decode(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0", ["gzip"], 99) == b"one two"


def test_a_bare_deflate_stream_is_read_too() -> None:
    bare = zlib.compressobj(wbits=-15)
    assert decode(bare.compress(TEXT) + bare.flush(), ["deflate"], len(TEXT)) == TEXT


def test_a_wrong_checksum_loses_no_page() -> None:
    damaged = bytearray(CODED["gzip"])
    damaged[-8] ^= 0xFF
    assert decode(bytes(damaged), ["gzip"], len(TEXT)) == TEXT


def test_a_wrong_label_changes_nothing() -> None:
    assert decode(b"<html>", ["gzip"], 99) == b"<html>"
    assert decode(b"<html>", ["x-unheard-of"], 99) == b"<html>"
    assert not known(["gzip, x-unheard-of"])


@given(st.binary(max_size=300), st.sampled_from(sorted(CODED)))
def test_no_bytes_break_it(body: bytes, name: str) -> None:
    with suppress(CutShort, TooLarge):
        assert len(decode(body, [name], 10_000)) <= 10_000
