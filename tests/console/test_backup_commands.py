import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

Cli = Callable[..., Result]


def test_there_and_back(cli: Cli, rows: Callable[..., list[Any]], seed: Path, tmp_path: Path) -> None:
    cli("ingest", str(seed))
    made = json.loads(cli("backup", "copy", "--json").stdout)
    assert (made["database"], made["dest"], made["archive_files"]) == ("sqlite", "copy", 0)
    assert "sqlite database and 0 archive files of" in cli("--data", "elsewhere", "restore", "copy").stdout
    assert rows("articles") == rows("--data", "elsewhere", "articles")
    assert ", 0 faults" in cli("--data", "elsewhere", "audit").stdout


def test_mistakes_are_wrong_usage_in_one_line(cli: Cli, seed: Path) -> None:
    cli("ingest", str(seed))
    cli("backup", "copy")
    for words in (("backup", "copy"), ("restore", "copy"), ("--data", "new", "restore", "nowhere")):
        said = cli(*words, exit_code=2).stderr
        assert said.startswith("copydesk: ")
        assert said.count("\n") == 1
    assert "there is no store" in cli("--data", "new", "backup", "other", exit_code=1).stderr
