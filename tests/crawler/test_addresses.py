from __future__ import annotations

import pytest

from crawler.addresses import address_refusal, has_login, refusal

LOOPBACK = "127.0.0.1:8123"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1./",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/admin",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
        "http://0x7F000001/",
        "http://0x7f.0x0.0x0.0x1/",
        "http://00000177.0.0.1/",
        "http://127.0.0.1:80/",
        "HTTP://127.0.0.1",
        "http://user:pass@127.0.0.1/",
        "http://a.example@127.0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://0/",
        "http://0.0.0.0:8000/",
        "http://localhost/",
        "http://LOCALHOST:8080/",
        "http://localhost./",
        "http://api.localhost/",
        "http://localhost.localdomain/",
        "http://ip6-localhost/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::]/",
        "http://[::ffff:7f00:1]:6379/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "http://[2600::5efe:7f00:1]/",
        "http://[2600::200:5efe:10.0.0.1]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        "http://[100::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://168.63.129.16/",
        "http://100.100.100.200/",
        "http://10.1.2.3/",
        "http://172.31.255.255/",
        "http://192.168.0.1/",
        "http://192.0.0.192/",
        "http://198.18.0.1/",
        "http://203.0.113.9/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "\t http://127.0.0.1/",
    ],
)
def test_address_is_blocked(url: str) -> None:
    assert refusal(url) == "blocked_address"


@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "ftp://a.example/", "gopher://127.0.0.1/", " javascript:void(0)", "data:,x", "FILE:/x"],
)
def test_scheme_is_blocked(url: str) -> None:
    assert refusal(url) == "blocked_scheme"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/news/a",
        "//a.example/",
        "http://",
        "http:///127.0.0.1/",
        "http:/127.0.0.1/",
        "http:127.0.0.1/",
        "http:\\\\127.0.0.1/",
        "http://a.example\\@127.0.0.1/",
        "http://127.0.0.1\\.a.example/",
        "http://a.exa\tmple/",
        "http://256.256.256.256/",
        "http://127.0.0.08/",
        "http://1.2.3.4.5/",
        "http://a.example.0x7f/",
        "http://[::1%25lo]/",
        "http://[::1/",
        "http://a.example:70000/",
        "http://a%00.example/",
    ],
)
def test_url_is_bad(url: str) -> None:
    assert refusal(url) == "bad_url"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.harbour-courier.example/a",
        "https://www.harbour-courier.example:8443/a\\b",
        "http://8.8.8.8/",
        "http://134744072/",
        "http://100.128.0.1/",
        "http://172.32.0.1/",
        "http://[2606:4700::1111]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[64:ff9b::8.8.8.8]/",
        "http://[2002:808:808::1]/",
        "http://localhost.example/",
        "http://0x7f.example/",
    ],
)
def test_public_address_passes(url: str) -> None:
    assert refusal(url) is None


@pytest.mark.parametrize(
    "url", ["http://a.example:25/", "http://a.example:6379/", "http://8.8.8.8:22/", "http://a.example:0/"]
)
def test_port_is_blocked(url: str) -> None:
    assert refusal(url) == "blocked_port"


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pass@a.example/",
        "https://user@a.example/",
        "https://:pass@a.example/",
        "https://:@a.example/",
        "https://@a.example/",
        "https://b.example@a.example/",
        "https://user:p%40ss@a.example:8443/a?b#c",
        "https://user:p@ss@a.example/",
        "HTTPS://USER:PASS@A.EXAMPLE",
        " http://user:pass@8.8.8.8/",
        "http://user:pass@[2606:4700::1111]/",
    ],
)
def test_a_login_in_an_address_is_refused(url: str) -> None:
    assert refusal(url) == "login_in_url"
    assert refusal(url, ("8.8.8.8", "2606:4700::1111")) == "login_in_url", "no exception lets it pass"
    assert has_login(url)


@pytest.mark.parametrize(
    "url", ["https://a.example/@user", "https://a.example/?to=x@b.example", "https://a.example#@", "/a@b", "mailto:a@b"]
)
def test_an_at_sign_behind_the_host_is_no_login(url: str) -> None:
    assert not has_login(url)


@pytest.mark.parametrize("url", ["//user:pass@a.example/", "\\\\user:pass@a.example/", "ht\ntps://u:p@a.example/"])
def test_a_login_is_seen_in_what_is_no_whole_address_too(url: str) -> None:
    assert has_login(url)


@pytest.mark.parametrize(
    ("url", "allowed", "code"),
    [
        ("http://127.0.0.1:8123/", LOOPBACK, None),
        ("http://127.1:8123/", LOOPBACK, None),
        ("http://[::ffff:127.0.0.1]:8123/", LOOPBACK, None),
        ("http://localhost:8123/", LOOPBACK, None),
        ("http://127.0.0.1:8124/", LOOPBACK, "blocked_address"),
        ("http://localhost:8124/", LOOPBACK, "blocked_address"),
        ("http://127.0.0.2:8123/", LOOPBACK, "blocked_address"),
        ("http://[2002:7f00:1::]:8123/", LOOPBACK, "blocked_address"),
        ("http://127.0.0.1:6379/", "127.0.0.1", None),
        ("http://[::1]:8123/", "[::1]:8123", None),
        ("http://[::1]:8123/", "::1", None),
        ("http://[::1]:8124/", "[::1]:8123", "blocked_address"),
        ("http://10.0.0.7/", "10.0.0.7:80", None),
    ],
)
def test_exceptions_are_as_narrow_as_they_are_written(url: str, allowed: str, code: str | None) -> None:
    assert refusal(url, (allowed,)) == code


@pytest.mark.parametrize("entry", ["localhost", "127.0.0.1:x", "", "127.0.0.0/8"])
def test_wrong_exception_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is not ADDRESS"):
        refusal("http://127.0.0.1/", (entry,))


@pytest.mark.parametrize(
    ("ip", "port", "code"),
    [
        ("93.184.215.14", 443, None),
        ("93.184.215.14", 25, "blocked_port"),
        ("127.0.0.1", 443, "blocked_address"),
        ("::ffff:10.0.0.1", 443, "blocked_address"),
        ("fe80::1%eth0", 443, "blocked_address"),
        ("2606:4700::1111%eth0", 443, "blocked_address"),
        ("not an address", 443, "blocked_address"),
    ],
)
def test_resolved_address(ip: str, port: int, code: str | None) -> None:
    assert address_refusal(ip, port) == code
