"""How fast one site may be asked: by our own least delay, its robots.txt, what it bears, and what it protested."""

from dataclasses import dataclass

SMOOTHING = 0.25
"""The weight of the newest response time in the average."""
SHARE = 4.0
"""A site that takes a second to answer is asked once in a second over this, at most: it is idle most of the time."""


@dataclass(slots=True, kw_only=True)
class Pace:
    """The state of one site's pace. All times in seconds; no clock in here."""

    least_s: float
    most_s: float
    """No site is waited for longer than this between two requests."""
    learned_s: float = 0.0
    """What protests and slow answers of earlier turns taught."""
    asked_s: float = 0.0
    """The Crawl-delay of its robots."""
    average_s: float | None = None
    """The moving average of its response times."""
    protested: bool = False

    @property
    def interval_s(self) -> float:
        """Least time between two requests."""
        own = (self.average_s or 0.0) / SHARE
        return max(self.least_s, min(max(self.asked_s, self.learned_s, own), self.most_s))

    def answered(self, took_s: float) -> None:
        """An answer came after that time."""
        average = took_s if self.average_s is None else self.average_s
        self.average_s = average + SMOOTHING * (took_s - average)

    def failed(self, took_s: float) -> None:
        """No answer, or an error: it may slow us down and never speeds us up, however fast it came."""
        if took_s > (self.average_s or 0.0):
            self.answered(took_s)

    def protest(self) -> None:
        """The site said that it is asked too often, or showed a block page: twice as slow from now on."""
        self.protested = True
        self.learned_s = min(max(2 * self.learned_s, 2 * self.interval_s, 2 * self.least_s), self.most_s)

    def lesson_s(self) -> float:
        """What the next turn is to know: all of it after a protest, half of the surplus after a quiet turn."""
        if self.protested:
            return max(self.learned_s, self.asked_s)
        faded = self.learned_s / 2
        slow = min((self.average_s or 0.0) / SHARE, self.most_s)
        return max(faded if faded > self.least_s else 0.0, slow if slow > self.least_s else 0.0, self.asked_s)
