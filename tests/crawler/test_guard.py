from collections.abc import Sequence
from typing import Any

import pytest
from scrapy import Request
from twisted.internet.address import IPv4Address, IPv6Address

from crawler.guard import MOST_NAMES, NAMES_HOLD_S, Blocked, GuardedResolver, UrlGuard


class Names:
    """A reactor's name resolution with fixed answers, in place at once."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses
        self.asked = 0
        self.nameResolver: Any = self

    def installNameResolver(self, resolver: Any) -> None:  # noqa: N802
        self.nameResolver = resolver

    def resolveHostName(self, receiver: Any, name: str, port: int, *_: Any) -> Any:  # noqa: N802
        self.asked += 1
        receiver.resolutionBegan(self)
        for address in self.addresses:
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, port))
        receiver.resolutionComplete()
        return self


class Receiver:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.complete = False

    def resolutionBegan(self, _: Any) -> None:  # noqa: N802
        pass

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self.found.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        self.complete = True


def resolve(addresses: Sequence[str], allowed: tuple[str, ...] = (), port: int = 80) -> tuple[list[str], set[str]]:
    names = Names(addresses)
    resolver = GuardedResolver(names, allowed)
    resolver.install_on_reactor()
    receiver = Receiver()
    names.nameResolver.resolveHostName(receiver, "www.a.example", port)
    assert receiver.complete
    return receiver.found, resolver.refused


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "::1", "::ffff:7f00:1"])
def test_a_name_that_leads_inside_connects_to_nothing(address: str) -> None:
    assert resolve([address]) == ([], {"www.a.example"})


def test_of_mixed_addresses_only_the_public_ones_are_handed_on() -> None:
    assert resolve(["127.0.0.1", "93.184.215.14"]) == (["93.184.215.14"], set())


def test_an_exception_holds_for_its_port_only() -> None:
    assert resolve(["127.0.0.1"], ("127.0.0.1:8080",), port=8080) == (["127.0.0.1"], set())
    assert resolve(["127.0.0.1"], ("127.0.0.1:8080",), port=8081) == ([], {"www.a.example"})


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://169.254.169.254/latest/", "blocked_address"),
        ("http://2130706433/admin", "blocked_address"),
        ("http://localhost:8080/", "blocked_address"),
        ("ftp://a.example/", "blocked_scheme"),
    ],
)
def test_a_request_is_refused_by_its_url(url: str, code: str) -> None:
    with pytest.raises(Blocked) as refused:
        UrlGuard(()).process_request(Request(url))
    assert refused.value.code == code


def test_an_ordinary_request_passes() -> None:
    UrlGuard(()).process_request(Request("https://www.a.example/news"))


def test_a_name_is_remembered_for_a_while_and_judged_each_time() -> None:
    names, time = Names(["127.0.0.1", "93.184.215.14"]), [0.0]
    resolver = GuardedResolver(names, ("127.0.0.1:8080",), clock=lambda: time[0])

    def ask(port: int) -> list[str]:
        receiver = Receiver()
        resolver.resolveHostName(receiver, "www.a.example", port)
        assert receiver.complete
        return receiver.found

    assert ask(8080) == ["127.0.0.1", "93.184.215.14"]
    assert ask(80) == ["93.184.215.14"]
    assert names.asked == 1
    time[0] = NAMES_HOLD_S
    ask(80)
    assert names.asked == 2


def test_a_name_that_is_not_found_is_asked_for_again() -> None:
    names = Names([])
    resolver = GuardedResolver(names, ())
    for _ in range(2):
        resolver.resolveHostName(Receiver(), "www.a.example", 80)
    assert names.asked == 2


def test_only_so_many_names_are_remembered() -> None:
    names = Names(["93.184.215.14"])
    resolver = GuardedResolver(names, ())
    for number in (*range(MOST_NAMES + 1), 0):
        resolver.resolveHostName(Receiver(), f"www{number}.example", 80)
    assert names.asked == MOST_NAMES + 2
