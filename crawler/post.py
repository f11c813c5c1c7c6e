"""One POST to an address that an operator named, through the address guard, without a crawl around it."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from crawler.addresses import address_refusal, refusal

_MOST_ANSWER = 10_000


class PostFailed(Exception):
    """The other side did not take it; the message says why."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, allowed: tuple[str, ...] = ()) -> None:
    """Send a body; a 2xx answer ends it well. Redirects are not followed: who moved must say so to the operator.

    The address that was looked up and found public is the one that is connected to. Raises PostFailed.
    """
    if code := refusal(url, allowed):
        raise PostFailed(f"{code}: {url}")
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, timeout_s, allowed)
        try:
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            answer.read(_MOST_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise PostFailed(f"{type(error).__name__}: {error}") from error
    if not 200 <= answer.status < 300:
        raise PostFailed(f"it answered {answer.status} {answer.reason}")


def _connection(
    scheme: str, host: str, port: int | None, timeout_s: float, allowed: tuple[str, ...]
) -> http.client.HTTPConnection:
    port = port or (443 if scheme == "https" else 80)
    address = _resolve(host, port, allowed)
    made = http.client.HTTPConnection(host, port, timeout=timeout_s)
    plain = socket.create_connection((address, port), timeout_s)
    if scheme == "https":
        try:
            made.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
    else:
        made.sock = plain
    return made


def _resolve(host: str, port: int, allowed: tuple[str, ...]) -> str:
    """The first address of a name, if all of them may be connected to."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for one in found:
        if code := address_refusal(one, port, allowed):
            raise PostFailed(f"{code}: {host} is at {one}")
    return found[0]
