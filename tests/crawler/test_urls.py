from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.urls import MAX_LENGTH, canonical_key, clean, origin_of, site_of

BASE = "https://www.harbour-courier.example/local/index.html"
SITE = "https://www.harbour-courier.example"


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("/news/a?utm_source=front&utm_medium=web", f"{SITE}/news/a"),
        ("/news/a?fbclid=IwAR0abc", f"{SITE}/news/a"),
        ("/news/a#comments", f"{SITE}/news/a"),
        ("/news/a#!/part/2", f"{SITE}/news/a"),
        ("/news/b;jsessionid=0A1B2C3D4E5F", f"{SITE}/news/b"),
        ("/news/b;JSESSIONID=0A1B2C3D4E5F?id=1", f"{SITE}/news/b?id=1"),
        ("/news/b;version=2", f"{SITE}/news/b;version=2"),
        ("/(S(abcdefghijklmnopqrstuvwx))/news/b.aspx", f"{SITE}/news/b.aspx"),
        ("/article.php?id=17&PHPSESSID=9f8e7d6c5b4a&utm_campaign=x", f"{SITE}/article.php?id=17"),
        ("/article.php?id=18", f"{SITE}/article.php?id=18"),
        ("/article.php?sid=18", f"{SITE}/article.php?sid=18"),
        ("/article.php?sid=0123456789abcdef0123456789abcdef&id=1", f"{SITE}/article.php?id=1"),
        ("/a?ASPSESSIONIDQQBC=HJK&UTM_Source=x&%75tm_term=y&b=2&a=1", f"{SITE}/a?b=2&a=1"),
        ("../news/c/", f"{SITE}/news/c/"),
        ("//www.harbour-courier.example/news/d?gclid=Cj0K", f"{SITE}/news/d"),
        ("HTTPS://WWW.HARBOUR-COURIER.EXAMPLE:443/news/d", f"{SITE}/news/d"),
        (" /news/\ne ", f"{SITE}/news/e"),
        ("\\news\\f", f"{SITE}/news/f"),
        ("https:\\\\www.harbour-courier.example\\news\\f", f"{SITE}/news/f"),
        ("https:/www.harbour-courier.example/g", f"{SITE}/g"),
        ("https://user:secret@www.harbour-courier.example/g", f"{SITE}/g"),
        ("https://www.harbour-courier.example", f"{SITE}/"),
        ("https://www.harbour-courier.example./g", f"{SITE}/g"),
        ("https://www.harbour-courier.example/a/./b/../c", f"{SITE}/a/c"),
        ("https://www.harbour-courier.example/a/%2E%2e/c/..", f"{SITE}/"),
        ("https://www.harbour-courier.example/a//b/", f"{SITE}/a//b/"),
        ("https://www.harbour-courier.example/%7euser/%c3%a4 b", f"{SITE}/~user/%C3%A4%20b"),
        ("https://www.harbour-courier.example/ä", f"{SITE}/%C3%A4"),
        ("https://www.harbour-courier.example/100%", f"{SITE}/100%25"),
        ("https://www.harbour-courier.example/a%2Fb?q=c%26d", f"{SITE}/a%2Fb?q=c%26d"),
        ("https://www.harbour-courier.example/g?", f"{SITE}/g"),
        ("https://www.harbour-courier.example/g?&&a=1&", f"{SITE}/g?a=1"),
        ("https://www.harbour-courier.example/g?a=&b", f"{SITE}/g?a=&b"),
        ("http://www.harbour-courier.example/g", f"{SITE}/g"),
        ("http://www.harbour-courier.example:80/g", f"{SITE}/g"),
        ("http://www.harbour-courier.example:8080/g", "http://www.harbour-courier.example:8080/g"),
        ("http://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("http://☃.example/", "https://xn--n3h.example/"),
        ("http://127.0.0.1:8123/a", "http://127.0.0.1:8123/a"),
        ("http://127.1:8123/a", "http://127.0.0.1:8123/a"),
        ("http://localhost/a", "http://localhost/a"),
        ("http://[::1]:80/a", "http://[::1]/a"),
    ],
)
def test_key(reference: str, key: str) -> None:
    assert canonical_key(reference, BASE) == key


@pytest.mark.parametrize(
    "url",
    [
        "mailto:desk@harbour-courier.example",
        "javascript:void(0)",
        "ftp://harbour-courier.example/",
        "file:///etc/hostname",
        "news/a",
        "",
        "https://",
        "https://:443/",
        "https://a.example:99999/",
        "https://a.example:x/",
        "https://a b.example/",
        "https://[::1/",
        "https://a..example/",
        "https://1.2.3.4.5/",
        f"https://a.example/{'x' * MAX_LENGTH}",
    ],
)
def test_no_key(url: str) -> None:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
        canonical_key(url)


def test_clean_keeps_what_a_server_may_want_to_see() -> None:
    assert clean(" /n/2?utm_source=rss#top ", SITE) == f"{SITE}/n/2?utm_source=rss#top"


_AWKWARD = (
    "/ // . .. %2e %2E%2e % %zz %41 %2f ; ;jsessionid=1 ? & = a ä # utm_source=1 sid= 0123456789abcdefghij "
    "(S(0123456789ab)) \\ @ : + %73id= \ud800 [ |"
)
_PIECES = st.sampled_from([" ", *_AWKWARD.split(" ")])
_HOSTS = st.sampled_from(
    ["a.example", "A.example.:80", "u:p@b.example:8080", "127.1:8000", "[::1]", "bücher.example", "localhost:443"]
)


@given(st.sampled_from(["http://", "HTTPS://", "https:\\\\"]), _HOSTS, st.lists(_PIECES, max_size=12).map("".join))
def test_a_key_is_its_own_key(scheme: str, host: str, rest: str) -> None:
    key = canonical_key(f"{scheme}{host}/{rest}")
    assert canonical_key(key) == key
    assert key.isascii()
    assert re.fullmatch(r"https?://[^/?#@]+/[^?#]*(\?[^#]+)?", key)


def _key_or_error(text: str) -> tuple[str | None, str]:
    try:
        return canonical_key(text, BASE), ""
    except ValueError as error:
        return None, str(error)


@given(st.text(max_size=60))
def test_any_text_has_a_key_or_one_clear_error(text: str) -> None:
    key, error = _key_or_error(text)
    if key is None:
        assert error
        assert "\n" not in error
    else:
        assert canonical_key(key) == key


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.harbour-courier.example/a", "harbour-courier.example"),
        ("https://news.desk.co.uk/a", "desk.co.uk"),
        ("https://desk.co.uk:8443/a", "desk.co.uk"),
        ("https://co.uk/", "co.uk"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("http://127.0.0.1:8123/a", "127.0.0.1:8123"),
        ("http://127.0.0.1/a", "127.0.0.1:80"),
        ("https://[::1]/a", "[::1]:443"),
        ("http://localhost:9/", "localhost:9"),
    ],
)
def test_site(url: str, site: str) -> None:
    assert site_of(url) == site


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTP://u@A.Example:80/x?y#z", "http://a.example"),
        ("https://a.example:8443/x", "https://a.example:8443"),
        ("http://[::1]:8000/x", "http://[::1]:8000"),
    ],
)
def test_origin(url: str, origin: str) -> None:
    assert origin_of(url) == origin
