"""The address guard: no request leaves for a private address, whatever a link, a redirect or a name server says.

Two gates. The middleware refuses a request by its URL: scheme, literal address, port. The resolver sits between name
resolution and the socket: Twisted connects to exactly those addresses that it lets through, so that a second lookup
cannot slip another one in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from scrapy.exceptions import IgnoreRequest
from twisted.internet.interfaces import IAddress, IHostnameResolver, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from crawler.addresses import address_refusal, refusal

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

ALLOWED = "COPYDESK_ALLOWED_ADDRESSES"
"""The Scrapy setting that carries the exceptions."""

log = logging.getLogger(__name__)


class _WithSettings(Protocol):
    @property
    def settings(self) -> Any: ...


class Blocked(IgnoreRequest):
    """A request that may not be made; `code` is `blocked_address` or `blocked_scheme`."""

    def __init__(self, code: str, url: str) -> None:
        super().__init__(f"{code}: {url}")
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

    def __init__(self, reactor: Any, allowed: tuple[str, ...]) -> None:
        self.reactor = reactor
        self.allowed = allowed
        self.refused = set()
        self._inner = reactor.nameResolver

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
        """Resolve, then filter (IHostnameResolver)."""
        sieve = _Sieve(
            resolutionReceiver, lambda ip: address_refusal(ip, portNumber, self.allowed), self._note(hostName)
        )
        return self._inner.resolveHostName(sieve, hostName, portNumber, addressTypes, transportSemantics)

    def _note(self, name: str) -> Callable[[int, list[str]], None]:
        def note(passed: int, refused: list[str]) -> None:
            self.refused.discard(name)
            if refused:
                log.warning("%s resolves to %s: refused", name, ", ".join(refused))
            if refused and not passed:
                self.refused.add(name)

        return note


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
