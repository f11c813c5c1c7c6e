"""Merges what several listings said of one page. Contains no decision on who is right."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from storage.records import Hints, Sighting


def merged(sightings: Iterable[Sighting]) -> Hints:
    """For each hint the word of the newest sighting that has it: the last listing knows a corrected title or date."""
    newest_first = sorted(sightings, key=lambda sighting: sighting.last_seen, reverse=True)
    said: dict[str, Any] = {}
    for spec in fields(Hints):
        values = (getattr(sighting.hints, spec.name) for sighting in newest_first)
        found = next((value for value in values if value), None)
        if found is not None:
            said[spec.name] = found
    return Hints(**said)
