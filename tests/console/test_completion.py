"""What shells complete, by the scripts that they load; the manual pages; rate and time left of long work."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from console.cli import COMMANDS
from console.progress import Pace, Seldom, growing_bar, progress_bar, shown_rate

Cli = Callable[..., Result]
ROOT = Path(__file__).parents[2]
BASH = """
source "$1"
COMP_WORDS=({words}) COMP_CWORD={at}
_copydesk_completion copydesk
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = r"""
zmodload zsh/zpty
complete() {
    zpty typed 'zsh -f -i'
    zpty -w typed 'PS1=; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; print -r -- $((1 + 1))begin'
    zpty -r typed seen '*2begin*'
    zpty -w -n typed "$1"$'\t'
    zpty -r typed seen "*$2*" && print -r -- "$2"
    zpty -d typed
}
complete 'copydesk qu' 'copydesk quarantine'
complete 'copydesk crawl --w' 'copydesk crawl --wait'
"""
"""Types into shells of their own, and reads what they show."""


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    """An environment in which `copydesk` is on the path."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    script = bin_ / "copydesk"
    script.write_text(f"#!{sys.executable}\nfrom console.cli import main\n\nmain()\n", "utf-8")
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_options_and_sources(cli: Cli, tmp_path: Path, program: dict[str, str]) -> None:
    cli("sources", "add", "https://news.example/feed", "--name", "harbour")
    cli("sources", "add", "https://valley.example/feed", "--name", "valley")
    script = tmp_path / "completion.bash"
    script.write_text(cli("completion", "bash").stdout, "utf-8")

    def complete(*words: str) -> list[str]:
        code = BASH.format(words=" ".join(f"'{word}'" for word in words), at=len(words) - 1)
        command = ["bash", "-c", code, "bash", str(script)]
        return subprocess.run(
            command, cwd=tmp_path, env=program, capture_output=True, text=True, check=True
        ).stdout.split()

    assert complete("copydesk", "qu") == ["quarantine"]
    assert complete("copydesk", "crawl", "--w") == ["--wait"]
    assert complete("copydesk", "crawl", "ha") == ["harbour"]
    assert complete("copydesk", "--data", "elsewhere", "sources", "show", "") == []


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes_commands_and_options(cli: Cli, tmp_path: Path, program: dict[str, str]) -> None:
    (tmp_path / "completion.fish").write_text(cli("completion", "fish").stdout, "utf-8")
    code = "source completion.fish; complete -C 'copydesk qu'; complete -C 'copydesk crawl --w'"
    command = ["fish", "--no-config", "-c", code]
    ran = subprocess.run(command, cwd=tmp_path, env=program, capture_output=True, text=True, check=True)
    assert [line.partition("\t")[0] for line in ran.stdout.splitlines() if line] == ["quarantine", "--wait"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_completes_commands_and_options(cli: Cli, tmp_path: Path, program: dict[str, str]) -> None:
    (tmp_path / "_copydesk").write_text(cli("completion", "zsh").stdout, "utf-8")
    command = ["zsh", "-f", "-c", ZSH]
    ran = subprocess.run(command, cwd=tmp_path, env=program, capture_output=True, text=True, check=True, timeout=30)
    assert ran.stdout.splitlines() == ["copydesk quarantine", "copydesk crawl --wait"]


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef copydesk"), ("fish", "--command copydesk")])
def test_the_other_shells_get_theirs(cli: Cli, shell: str, mark: str, tmp_path: Path) -> None:
    told = cli("completion", shell).stdout
    assert mark in told
    assert f"_COPYDESK_COMPLETE={shell}_complete" in told
    if found := shutil.which(shell):
        (tmp_path / "script").write_text(told, "utf-8")
        subprocess.run([found, "-n", str(tmp_path / "script")], check=True)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_commands_come_with_what_they_do_and_nothing_is_imported_for_it(shell: str, program: dict[str, str]) -> None:
    asked = {"COMP_WORDS": "copydesk ", "COMP_CWORD": "1" if shell == "zsh" else "", "_COPYDESK_COMPLETE": ""}
    asked["_COPYDESK_COMPLETE"] = f"{shell}_complete"
    command = [sys.executable, "-X", "importtime", "-m", "console.cli"]
    ran = subprocess.run(command, env=program | asked, capture_output=True, text=True, check=False)
    assert COMMANDS["explain"] in ran.stdout
    assert "console.commands." not in ran.stderr


def test_another_shell_is_wrong_usage(cli: Cli) -> None:
    assert "csh" in cli("completion", "csh", exit_code=2).stderr


@pytest.mark.parametrize("words", [(), ("crawl",), ("sources", "add")], ids=" ".join)
def test_a_manual_page_has_all_its_parts(cli: Cli, words: tuple[str, ...]) -> None:
    page = cli("help", *words).stdout
    parts = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"]
    assert [line[:-1] for line in page.splitlines() if line.isupper() and line[:-1] in parts] == parts
    example = page.partition("EXAMPLES:\n")[2].partition("\n\n")[0]
    assert example.startswith(f"  copydesk {' '.join(words)}".rstrip())


def test_the_manual_of_nothing_is_wrong_usage(cli: Cli) -> None:
    assert "no command 'sources sell'" in cli("help", "sources", "sell", exit_code=2).stderr


def test_the_pace_is_that_of_late() -> None:
    at = iter([0.0, 0.5, 10.0, 20.0, 30.0])
    pace = Pace(clock=lambda: next(at))
    assert pace.at(0) is None
    assert pace.at(5) is None
    assert pace.at(1000) == 100
    assert pace.at(1010) == 1, "what was before fifteen seconds is forgotten"
    assert pace.at(1030) == 2


@pytest.mark.parametrize(
    ("rate", "shown"), [(None, None), (1234.5, "1,234/s"), (3.25, "3.2/s"), (0.05, "3.0/min"), (0.0, "0.0/s")]
)
def test_rates_as_people_read_them(rate: float | None, shown: str | None) -> None:
    assert shown_rate(rate) == shown


def test_a_costly_question_is_asked_now_and_then() -> None:
    at, answers = [0.0], iter([7, 8])
    seldom = Seldom(lambda: next(answers), every_s=2, clock=lambda: at[0])
    assert (seldom(), seldom()) == (7, 7)
    at[0] = 2.0
    assert seldom() == 8


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_shows_how_much_how_quick_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, at = Terminal(), [0.0]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("time.time", lambda: at[0])
    monkeypatch.setattr("console.progress.Pace", lambda: Pace(clock=lambda: at[0]))
    with growing_bar("pages", length=100) as tell:
        for second in range(1, 6):
            at[0] = float(second)
            tell(20 * second, 200)
    last = terminal.getvalue().rpartition("\r")[2]
    assert "pages" in last
    assert "100/200" in last
    assert "00:00:0" in last, "the time left"
    assert "20/s" in last


def test_a_bar_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.StringIO()
    monkeypatch.setattr(sys, "stderr", plain)
    with progress_bar(3, "files") as advance:
        advance(3)
    assert plain.getvalue() == ""
