"""The program as a whole: its help, its exit codes, its one line for an error."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from console.cli import COMMANDS, VERSION, main

Cli = Callable[..., Result]
ROOT = Path(__file__).parents[2]


def command_paths(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and subcommand."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield (*path, name)
        if isinstance(found, click.Group):
            yield from command_paths(found, (*path, name))


def start(*words: str, folder: Path, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "console.cli", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, **options)


@pytest.mark.parametrize("path", list(command_paths()), ids=" ".join)
def test_each_help_explains_and_gives_an_example(cli: Cli, path: tuple[str, ...]) -> None:
    told = cli(*path, "--help").stdout
    assert "Example:" in told
    assert f"copydesk {' '.join(path)}" in told or f" {path[0]}" in told.partition("Example:")[2]


def test_the_list_of_commands_is_the_folder_of_commands() -> None:
    files = {file.stem for file in (ROOT / "console" / "commands").glob("*.py")} - {"__init__"}
    assert set(COMMANDS) == files


def test_the_version_is_that_of_the_project(cli: Cli) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
    assert VERSION in cli("--version").stdout


def test_a_wrong_setting_is_named_in_one_line(cli: Cli) -> None:
    told = cli("--set", "delay=2", "settings", exit_code=2)
    assert re.fullmatch(r"copydesk: option: unknown setting 'delay'; .*\n", told.stderr)


def test_a_setting_without_a_value_is_wrong_usage(cli: Cli) -> None:
    assert "KEY=VALUE" in cli("--set", "delay_s", "settings", exit_code=2).stderr


def test_an_unknown_command_is_wrong_usage(cli: Cli) -> None:
    assert "No such command" in cli("craw", exit_code=2).stderr


def test_a_question_in_the_wrong_folder_makes_no_store(cli: Cli, tmp_path: Path) -> None:
    told = cli("status", exit_code=1).stderr
    assert told.startswith("copydesk: there is no store at ")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said_so(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are my notes, and no database at all\n" * 40)
    told = cli("--database", f"sqlite:///{tmp_path / 'notes.txt'}", "status", exit_code=1).stderr
    assert told.count("\n") == 1
    assert "not a database" in told


def test_a_database_that_is_not_there_is_said_so(cli: Cli) -> None:
    told = cli("--database", "postgresql://desk@127.0.0.1:9/news", "status", exit_code=1).stderr
    assert told.startswith("copydesk: database postgresql")
    assert told.count("\n") == 1


def test_debug_shows_the_traceback(cli: Cli) -> None:
    told = cli("--debug", "status", exit_code=1).stderr
    assert "Traceback" in told
    assert told.splitlines()[-1].startswith("copydesk: there is no store")


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    process = start("settings", folder=tmp_path, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), told) == (0, "")


def test_ctrl_c_ends_with_one_line(tmp_path: Path, seed: Path) -> None:
    with start("ingest", str(seed), folder=tmp_path) as ingest:
        assert ingest.wait(60) == 0
    with start("changes", "--follow", "--json", folder=tmp_path, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert '"seq": 1' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (
        130,
        "\ncopydesk: stopped\n",
    )  # the line end parts it from the ^C of a terminal


def test_no_color_is_honoured(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    context = main.make_context("copydesk", ["settings"])
    with context:
        main.invoke(context)
    assert context.color is False
