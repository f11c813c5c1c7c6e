"""The address guard: no request leaves for a private address, whatever a link, a redirect or a name server says.

Two gates. The middleware refuses a request by its URL: scheme, literal address, port. The resolver sits between name
resolution and the socket: Twisted connects to exactly those addresses that it lets through, so that a second lookup
cannot slip another one in.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from scrapy.exceptions import IgnoreRequest
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from crawler.addresses import address_refusal, refusal
from storage.logs import telling
from storage.masking import masked

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

ALLOWED = "COPYDESK_ALLOWED_ADDRESSES"
"""The Scrapy setting that carries the exceptions."""

NAMES_HOLD_S = 60.0
"""How long a name's addresses are remembered: the resolver does not tell their time to live, and this is below most."""
MOST_NAMES = 2_000

log = logging.getLogger(__name__)


class _WithSettings(Protocol):
    @property
    def settings(self) -> Any: ...


class Blocked(IgnoreRequest):
    """A request that may not be made; `code` says why: see `crawler.addresses.refusal`."""

    def __init__(self, code: str, url: str) -> None:
        super().__init__(f"{code}: {masked(url)}")
        self.code = code


class UrlGuard:
    """Downloader middleware that refuses requests by their URL, the last thing before they are sent."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> UrlGuard:
        """Made by Scrapy."""
        return cls(tuple(crawler.settings.getlist(ALLOWED)))

    def process_request(self, request: Request) -> None:
        """Raise Blocked, or let the request pass."""
        if code := refusal(request.url, self.allowed):
            raise Blocked(code, request.url)


@implementer(IHostnameResolver)
class GuardedResolver:
    """Resolves names for the reactor and hands on only addresses that may be connected to."""

    refused: set[str]
    """Names all of whose addresses were refused."""

    def __init__(self, reactor: Any, allowed: tuple[str, ...], clock: Callable[[], float] = time.monotonic) -> None:
        self.reactor = reactor
        self.allowed = allowed
        self.refused = set()
        self._inner = reactor.nameResolver
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, tuple[IAddress, ...]]] = OrderedDict()

    @classmethod
    def from_crawler(cls, crawler: _WithSettings, reactor: Any) -> GuardedResolver:
        """Made by Scrapy's process (which has settings like a crawler)."""
        return cls(reactor, tuple(crawler.settings.getlist(ALLOWED)))

    def install_on_reactor(self) -> None:
        """Become the reactor's resolver. Address literals pass through here too."""
        self.reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> Any:
        """Resolve, or remember, then filter (IHostnameResolver). What is remembered is judged anew each time."""
        sieve = _Sieve(
            resolutionReceiver, lambda ip: address_refusal(ip, portNumber, self.allowed), self._note(hostName)
        )
        if (found := self._remembered(hostName, addressTypes)) is not None:
            return _replay(sieve, hostName, portNumber, found)
        keeper = sieve if addressTypes is not None else _Keeper(sieve, lambda found: self._keep(hostName, found))
        return self._inner.resolveHostName(keeper, hostName, portNumber, addressTypes, transportSemantics)

    def _remembered(self, name: str, kinds: Sequence[type[IAddress]] | None) -> tuple[IAddress, ...] | None:
        until, found = self._known.get(name, (0.0, ()))
        return found if kinds is None and found and self._clock() < until else None

    def _keep(self, name: str, found: Sequence[IAddress]) -> None:
        if not found:  # a failure is no answer to be remembered
            return
        self._known[name] = (self._clock() + NAMES_HOLD_S, tuple(found))
        self._known.move_to_end(name)
        while len(self._known) > MOST_NAMES:
            self._known.popitem(last=False)

    def _note(self, name: str) -> Callable[[int, list[str]], None]:
        def note(passed: int, refused: list[str]) -> None:
            self.refused.discard(name)
            if refused:
                log.warning(
                    "%s resolves to %s: refused", name, ", ".join(refused), extra=telling("address_refused", host=name)
                )
            if refused and not passed:
                self.refused.add(name)

        return note


@implementer(IHostResolution)
class _Resolution:
    """A resolution that was over as soon as it began."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """There is nothing to cancel."""


def _replay(receiver: Any, name: str, port: int, addresses: Sequence[Any]) -> _Resolution:
    resolution = _Resolution(name)
    receiver.resolutionBegan(resolution)
    for one in addresses:
        receiver.addressResolved(type(one)(one.type, one.host, port))
    receiver.resolutionComplete()
    return resolution


@implementer(IResolutionReceiver)
class _Keeper:
    """Notes what was resolved on its way to another receiver."""

    def __init__(self, receiver: Any, keep: Callable[[Sequence[IAddress]], None]) -> None:
        self._receiver = receiver
        self._keep = keep
        self._found: list[IAddress] = []

    def resolutionBegan(self, resolutionInProgress: Any) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self._found.append(address)
        self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._keep(self._found)
        self._receiver.resolutionComplete()


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(
        self,
        receiver: Any,
        refuse: Callable[[str], str | None],
        note: Callable[[int, list[str]], None],
    ) -> None:
        self._receiver = receiver
        self._refuse = refuse
        self._note = note
        self._passed = 0
        self._refused: list[str] = []

    def resolutionBegan(self, resolutionInProgress: Any) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if self._refuse(address.host):
            self._refused.append(address.host)
        else:
            self._passed += 1
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._note(self._passed, self._refused)
        self._receiver.resolutionComplete()
