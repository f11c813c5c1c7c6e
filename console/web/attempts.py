"""Counts failed log-ins by address, so that guessing is slow."""

from collections import OrderedDict, deque
from threading import Lock


class Attempts:
    """At most `most` failures of one address within `window_s` seconds; remembers a bounded number of addresses."""

    def __init__(self, most: int = 5, window_s: float = 300.0, addresses: int = 10_000) -> None:
        self._most, self._window_s, self._addresses = most, window_s, addresses
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def wait_s(self, address: str, now: float) -> float:
        """Seconds until this address may try again; 0 if it may."""
        with self._lock:
            times = self._recent(address, now)
            return times[0] + self._window_s - now if len(times) >= self._most else 0.0

    def failed(self, address: str, now: float) -> None:
        """Note a failure."""
        with self._lock:
            self._failures[address] = self._recent(address, now)
            self._failures[address].append(now)
            self._failures.move_to_end(address)
            while len(self._failures) > self._addresses:
                self._failures.popitem(last=False)

    def _recent(self, address: str, now: float) -> deque[float]:
        return deque(at for at in self._failures.get(address, ()) if at > now - self._window_s)
