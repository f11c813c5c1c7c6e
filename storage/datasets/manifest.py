"""What a dataset's folder holds. Files that the manifest does not name are not part of it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from storage.codec import from_plain, to_plain
from storage.datasets.forms import Row
from storage.datasets.place import Place
from storage.errors import InputError

NAME = "_manifest.json"
"""With an underscore: pandas, Polars and Spark take such a file for no data when they are given the whole folder."""
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of a dataset."""

    file: str
    day: str
    rows: int
    first_id: int
    """The lowest article id in it."""
    last_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A dataset: its files, and how far in the change feed they go."""

    form: str
    kind: str
    """`articles`: each article once. `changes`: each change once."""
    next: int
    """The last row of the change feed that it holds: the place to go on from."""
    parts: tuple[Part, ...] = ()
    version: int = VERSION

    def publish(self, place: Place) -> None:
        """Write it: only then the files that it names count."""
        with place.publish(NAME) as out:
            plain = {"version": self.version, "form": self.form, "kind": self.kind, "next": self.next}
            plain["parts"] = [to_plain(part) for part in self.parts]
            out.write(json.dumps(plain, indent=1).encode() + b"\n")


def load(place: Place) -> Manifest | None:
    """The manifest of a folder; None where there is none. Raises InputError for one that cannot be read."""
    raw = place.read(NAME)
    if raw is None:
        return None
    try:
        plain: dict[str, Any] = json.loads(raw)
        parts = tuple(from_plain(Part, part) for part in plain.pop("parts"))
        found = Manifest(parts=parts, **plain)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{place.path(NAME)}: is no manifest of a dataset: {error}") from error
    if any(part.file.startswith("/") or ".." in part.file.split("/") for part in parts):
        raise InputError(f"{place.path(NAME)}: names a file outside of the dataset")  # which might be deleted
    return found


@dataclass(slots=True)
class Tally:
    """Counts rows on their way into a file."""

    rows: int = 0
    ids: list[int] = field(default_factory=list)

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, counted."""
        for row in rows:
            self.rows += 1
            self.ids = [min([*self.ids, row["id"]]), max([*self.ids, row["id"]])]
            yield row

    def part(self, file: str, day: str) -> Part:
        """What was counted, as a part of a dataset."""
        low, high = self.ids or [0, 0]
        return Part(file=file, day=day, rows=self.rows, first_id=low, last_id=high)
