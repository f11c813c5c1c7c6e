"""Reads a large listing in a process of its own, which can be ended: a thread that meets a worst case cannot.

    python -m crawler.apart < REQUEST

REQUEST is a pickled body with what is known of it, written by the crawl process; the answer is one JSON object, as
what comes out of a stranger's bytes is never unpickled.
"""

import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from crawler.discovery import Listing, discover
from storage.codec import from_plain, to_plain
from storage.errors import DiscoveryError

LIMIT_S = 30.0
"""For one listing. The largest that is let in takes a third of that, of any shape that was tried."""
TOO_SLOW = "too_slow"

_COMMAND = (sys.executable, "-P", "-m", "crawler.apart")


def discover_apart(body: bytes, facts: Mapping[str, Any]) -> Listing:
    """What `discover` makes of a body, by a process that ends in time. Blocks. Raises DiscoveryError."""
    request = pickle.dumps((body, dict(facts)))
    try:
        done = subprocess.run(_COMMAND, input=request, capture_output=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise too_slow() from error
    if done.returncode < 0:
        raise DiscoveryError("internal_error", f"its reader was killed: {signal.Signals(-done.returncode).name}")
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise DiscoveryError("internal_error", last[0] if last else f"its reader ended with {done.returncode}")
    told = json.loads(done.stdout)
    if "error" in told:
        raise DiscoveryError(*told["error"])
    return from_plain(Listing, told["listing"])


def too_slow() -> DiscoveryError:
    """The failure of a listing that took longer than any may."""
    return DiscoveryError(TOO_SLOW, f"it could not be read within {LIMIT_S:g} seconds")


def main() -> None:
    """Answer one request."""
    from crawler.run import die_with_parent  # noqa: PLC0415 - the child alone needs it

    die_with_parent()
    body, facts = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    try:
        told: dict[str, Any] = {"listing": to_plain(discover(body, **facts))}
    except DiscoveryError as error:
        told = {"error": [error.code, error.detail]}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
