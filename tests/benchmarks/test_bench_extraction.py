"""The benchmark of extraction goes on where a reader does not."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import extraction

_TEXT = "The ferry runs all winter, and the keeper opens the gate at six each morning."


def test_a_page_that_a_reader_does_not_end_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "_PATIENCE_S", 0.2)
    (tmp_path / "html").mkdir()
    for name in ("a", "b"):
        (tmp_path / "html" / f"{name}.html.gz").write_bytes(gzip.compress(f"<p>{name}</p>".encode()))
    records = [{"id": name, "source": "own", "text": _TEXT} for name in ("a", "b")]

    def reader(html: str, _url: str) -> Mapping[str, Any]:
        while "a" in html:
            pass
        return {"text": _TEXT}

    found = extraction.measure(tmp_path, records, reader)
    assert (found["failed"], found["all"]["perfect"]) == (1, 0.5)
