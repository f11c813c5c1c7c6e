"""Reads a folder of cases as its README describes them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exchange: what a server sent, byte for byte."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: what is served, when, and what must come out."""

    name: str
    folder: Path
    type: str
    now: datetime
    expected: dict[str, Any]
    exchanges: tuple[Recorded, ...]


def load_cases(folder: Path) -> list[Case]:
    """All cases of a folder, by name. Raises OSError and ValueError where a file is missing or broken."""
    return [_load(one.parent) for one in sorted(folder.glob("*/expected.json"))]


def _load(folder: Path) -> Case:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    recorded = folder / "headers.json"
    exchanges = json.loads(recorded.read_text("utf-8")) if recorded.exists() else []
    return Case(
        name=folder.name,
        folder=folder,
        type=expected["type"],
        now=datetime.fromisoformat(expected["now"]).astimezone(UTC),
        expected=expected,
        exchanges=tuple(_exchange(folder, one) for one in exchanges),
    )


def _exchange(folder: Path, one: dict[str, Any]) -> Recorded:
    body = (folder / one["body"]).read_bytes() if one["body"] else b""
    return Recorded(url=one["url"], status=one["status"], headers=tuple(one["headers"].items()), body=body)
