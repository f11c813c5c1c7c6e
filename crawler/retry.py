"""What a failed fetch means: whose fault it is, whether another try can help, and when."""

from datetime import timedelta
from enum import StrEnum

DAY_S = 86_400.0

FIRST_DELAY_S = 60.0
"""Before the second try; each later one waits GROWTH times as long as the one before it."""

GROWTH = 5.0
LONGEST_DELAY_S = 6 * 3_600.0


class Fault(StrEnum):
    """The classes of failure, by how long they are likely to last."""

    OURS = "ours"  # our own network is down, or we were stopped: says nothing of the site
    BRIEF = "brief"  # over in a moment
    SOFT = "soft"  # may well be over at the next visit
    LASTING = "lasting"  # the same request will get the same answer


_FAULTS = {
    "offline": Fault.OURS,
    "shutdown": Fault.OURS,
    "no_credentials": Fault.OURS,  # an environment variable is not set
    "proxy_not_allowed": Fault.OURS,
    "proxy_refused": Fault.OURS,  # its log-in is wrong, or it does not let us through
    "no_browser": Fault.OURS,  # the extra for rendered pages is not installed, or no browser starts
    "site_busy": Fault.OURS,  # another process of ours works there
    "site_rests": Fault.OURS,  # it asked for peace while the request waited for its turn
    "connection": Fault.BRIEF,
    "dns_temporary": Fault.BRIEF,
    "truncated": Fault.BRIEF,
    "host_down": Fault.BRIEF,
    "dns": Fault.SOFT,
    "timeout": Fault.SOFT,
    "tls": Fault.SOFT,
    "robots_unreachable": Fault.SOFT,  # RFC 9309 section 2.3.1.4: a server's failure disallows for now, not for good
    "bad_address": Fault.LASTING,
    "bad_url": Fault.LASTING,
    "login_in_url": Fault.LASTING,
    "blocked_address": Fault.LASTING,
    "blocked_port": Fault.LASTING,
    "blocked_scheme": Fault.LASTING,
    "redirect_limit": Fault.LASTING,
    "redirected_home": Fault.LASTING,
    "redirect_loop": Fault.LASTING,
    "robots_disallowed": Fault.LASTING,
    "too_large": Fault.LASTING,
}

_STATUSES = {
    404: Fault.SOFT,  # of a feed: often a deployment's gap
    408: Fault.SOFT,
    421: Fault.SOFT,
    425: Fault.BRIEF,
    429: Fault.SOFT,
    501: Fault.LASTING,
    505: Fault.LASTING,
}


def fault(code: str) -> Fault:
    """The class of a failure's code: a name such as `timeout`, or `http_` and the status (RFC 9110 section 15).

    A code that nobody has classed, such as that of an unreadable listing, counts as soft.
    """
    status = _status(code)
    if status is None:
        return _FAULTS.get(code, Fault.SOFT)
    return _STATUSES.get(status, Fault.LASTING if status < 500 else Fault.SOFT)


def retry_delay(attempts: int, code: str, retry_after: float | None, *, max_attempts: int = 4) -> timedelta | None:
    """How long a page waits for its next try after `attempts` failed ones, the last with `code`.

    None means that another try is pointless or one too many. `retry_after` (seconds, RFC 9110 section 10.2.3) is a
    lower bound, believed up to a day. Our own fault costs no attempt, so it never ends the tries.
    """
    kind = fault(code)
    if kind is Fault.OURS:
        return timedelta(seconds=FIRST_DELAY_S)
    if kind is Fault.LASTING or code == "http_404" or attempts >= max_attempts:
        return None
    backoff = min(FIRST_DELAY_S * GROWTH ** max(0, attempts - 1), LONGEST_DELAY_S)
    return timedelta(seconds=max(backoff, believed(retry_after)))


def believed(retry_after: float | None) -> float:
    """The seconds of a Retry-After that are honoured: at most a day, and none that are negative."""
    return min(max(retry_after or 0.0, 0.0), DAY_S)


def _status(code: str) -> int | None:
    prefix, _, number = code.rpartition("_")
    return int(number) if prefix == "http" and number.isdigit() else None
