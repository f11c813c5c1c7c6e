"""What extraction may look at: one answered page, what its listing said, and what the operator said of its source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.records import Headers, Hints, Record
from tasks.extract.recipes import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Material(Record):
    """A page as it was served. Equal material gives equal results: extraction has no clock and no network."""

    url: str
    """The address that answered."""
    status: int
    headers: Headers
    body: bytes
    fetched_at: datetime
    """The instant against which relative dates are read and future dates are refused."""
    hints: Hints = Hints()
    language: str | None = None
    """The source's language as an operator states it."""
    timezone: str = "UTC"
    """IANA zone of dates that name none."""
    publisher: str | None = None
    recipe: Recipe | None = None

    def header(self, name: str) -> str | None:
        """The first header of that name, in any letter case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)
