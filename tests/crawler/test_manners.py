"""How a source is asked: what goes with the request, and what of it may be kept."""

import pytest

from crawler.manners import PLAIN, WITHHELD, Manner, Unprepared, manner_of, secret_names, storable, way_of
from storage.records import SourceConfig

URL = "https://www.a.example/feed"


def manner(environ: dict[str, str], proxies: tuple[str, ...] = (), **config: object) -> Manner:
    return manner_of(SourceConfig(name="a", url=URL, **config), proxies, environ)  # type: ignore[arg-type]


def test_headers_cookies_and_credentials() -> None:
    found = manner(
        {"LOGIN": "jo:pa:ss", "SID": "s1"},
        headers=(("Accept-Language", "de"), ("X-Key", "env:SID")),
        cookies=(("seen", "yes"), ("sid", "env:SID")),
        basic="LOGIN",
    )
    assert found.headers == (
        ("Accept-Language", "de"),
        ("X-Key", "s1"),
        ("Cookie", "seen=yes; sid=s1"),
        ("Authorization", "Basic am86cGE6c3M="),
    )
    assert manner({"T": "t0"}, bearer="T").headers == (("Authorization", "Bearer t0"),)
    assert manner({}) == PLAIN


def test_what_is_kept_of_a_request_has_no_secret() -> None:
    found = manner({"LOGIN": "jo:pass", "KEY": "k1"}, headers=(("X-Key", "env:KEY"), ("X-Plain", "p")), basic="LOGIN")
    assert storable(found.headers, secret_names(found.headers)) == (
        ("X-Key", WITHHELD),
        ("X-Plain", "p"),
        ("Authorization", WITHHELD),
    )
    assert "k1" not in repr(found)
    assert "Basic" not in repr(found)


@pytest.mark.parametrize("environ", [{}, {"T": " "}, {"T": "a\r\nX: y"}])
def test_a_missing_or_broken_secret_is_named_not_guessed(environ: dict[str, str]) -> None:
    with pytest.raises(Unprepared, match="variable T") as error:
        manner(environ, bearer="T")
    assert error.value.code == "no_credentials"


def test_the_log_in_to_a_proxy_comes_from_the_environment_and_is_withheld() -> None:
    address = "http://proxy.example:3128"
    named = "http://jo:${PROXY_PASSWORD}@proxy.example:3128"
    found = way_of(named, (address,), {"PROXY_PASSWORD": "pa:ss"})
    assert (found.proxy, found.headers) == (address, (("Proxy-Authorization", "Basic am86cGE6c3M="),))
    assert storable(found.headers) == (("Proxy-Authorization", WITHHELD),)
    assert "am86" not in repr(found)
    assert way_of(address, (address,), {}) == Manner(proxy=address)
    with pytest.raises(Unprepared, match="variable PROXY_PASSWORD") as error:
        way_of(named, (address,), {})
    assert error.value.code == "no_credentials"


def test_only_proxies_that_the_operator_names_are_used() -> None:
    proxy = "http://proxy.example:3128"
    assert manner({}, (proxy,), proxy=proxy).proxy == proxy
    with pytest.raises(Unprepared) as error:
        manner({}, proxy=proxy)
    assert error.value.code == "proxy_not_allowed"
