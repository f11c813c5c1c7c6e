"""run.sh on a small tree of its own: the same script, with no requirements and a command of three lines."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "run.sh"
SETTING_UP = "Setting up Copydesk in .venv (once, about a minute)…\n"
NOBODY = 65534
SYSTEM = "/usr/bin:/bin"

COMMAND = """
import os, sys, tasks
def main():
    print(os.getcwd(), tasks.__file__, sys.prefix, *sys.argv[1:], sep="\\n")
    sys.exit(7 if "fail" in sys.argv else 0)
"""


def make_tree(root: Path) -> Path:
    for name, text in {
        "console/__init__.py": "",
        "console/cli.py": COMMAND,
        "tasks/__init__.py": "",
        "requirements.txt": "# nothing\n",
        "requirements-dev.txt": "# nothing\n",
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    shutil.copy2(SCRIPT, root / "run.sh")
    return root


def environment(path: str | None = None) -> dict[str, str]:
    """Hardly anything, as on a bare machine; the interpreter of this run is the machine's python3."""
    return {"PATH": path or f"{Path(sys.base_prefix) / 'bin'}:{SYSTEM}", "LC_ALL": "C.UTF-8"}


def run(tree: Path, *words: str, cwd: Path | None = None, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(tree / "run.sh"), *words],
        capture_output=True,
        encoding="utf-8",
        cwd=cwd or tree,
        env=environment(path),
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that is set up; its tests leave it so."""
    root = make_tree(tmp_path_factory.mktemp("a folder") / "copy desk")
    first = run(root, "--help")
    assert (first.returncode, first.stderr) == (0, SETTING_UP)
    return root


def test_the_second_call_is_quiet_and_passes_words_and_exit_code_on(tree: Path) -> None:
    again = run(tree, "show", "a  b", "fail")
    assert (again.returncode, again.stderr) == (7, "")
    assert again.stdout.splitlines()[2:] == [str(tree / ".venv"), "show", "a  b", "fail"]


def test_the_current_folder_stays_and_its_modules_hide_none_of_ours(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("raise SystemExit('the wrong tasks')")
    there = run(tree, cwd=tmp_path)
    assert there.returncode == 0, there.stderr
    assert there.stdout.splitlines()[:2] == [str(tmp_path), str(tree / "tasks" / "__init__.py")]


def test_a_link_to_the_script_works(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "run.sh").symlink_to(tree / "run.sh")
    linked = run(tmp_path)
    assert (linked.returncode, linked.stderr) == (0, "")
    assert not (tmp_path / ".venv").exists()


def test_changed_requirements_are_installed_once(tree: Path) -> None:
    (tree / "requirements.txt").write_text("# something else\n")
    assert [run(tree).stderr for _ in range(2)] == [SETTING_UP, ""]


def test_a_set_up_that_fails_says_so_and_is_tried_again(tree: Path) -> None:
    good = (tree / "requirements.txt").read_text()
    (tree / "requirements.txt").write_text("???\n")
    failed = run(tree)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("copydesk: the set-up failed")
    (tree / "requirements.txt").write_text(good)
    assert [run(tree).stderr for _ in range(2)] == [SETTING_UP, ""]


def leave_unfinished(tree: Path) -> None:
    (tree / ".venv" / "copydesk-unfinished").touch()


def lose_the_interpreter(tree: Path) -> None:
    python = tree / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("python-that-was-removed")


@pytest.mark.parametrize("damage", [leave_unfinished, lose_the_interpreter])
def test_a_damaged_set_up_is_made_anew(tree: Path, damage: Callable[[Path], None]) -> None:
    (tree / ".venv" / "left-over").touch()
    damage(tree)
    assert [run(tree).stderr for _ in range(2)] == [SETTING_UP, ""]
    assert not (tree / ".venv" / "left-over").exists()


def test_a_tree_that_was_moved_is_set_up_anew(tree: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(tree, moved, symlinks=True)
    result = run(moved)
    assert (result.returncode, result.stderr) == (0, SETTING_UP)
    assert result.stdout.splitlines()[1:3] == [str(moved / "tasks" / "__init__.py"), str(moved / ".venv")]


def test_two_first_calls_at_once_set_up_once(tmp_path: Path) -> None:
    root = make_tree(tmp_path)
    calls = [
        subprocess.Popen(
            [str(root / "run.sh")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment()
        )
        for _ in range(2)
    ]
    said = [call.communicate(timeout=100)[1] for call in calls]
    assert [call.returncode for call in calls] == [0, 0], said
    assert sorted(said) == ["", SETTING_UP]


def fake_python(folder: Path, answer: str) -> str:
    """A PATH on which python3 gives this answer when asked what it is."""
    for tool in ("sh", "cat", "cksum", "dirname", "readlink"):
        found = shutil.which(tool, path=SYSTEM)
        assert found
        (folder / tool).symlink_to(found)
    if answer:
        (folder / "python3").write_text(f"#!/bin/sh\n{answer}\n")
        (folder / "python3").chmod(stat.S_IRWXU)
    return str(folder)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("", "copydesk: python3 is not installed; Copydesk needs Python 3.11 or newer"),
        ("exit 127", "copydesk: python3 is not installed; Copydesk needs Python 3.11 or newer"),
        ("echo old 3.9.2", "copydesk: python3 is version 3.9.2; Copydesk needs Python 3.11 or newer"),
        ("echo bare", "copydesk: python3 has no venv module; install it (Debian: apt install python3-venv)"),
    ],
)
def test_a_python_that_will_not_do_is_one_clear_line(tmp_path: Path, answer: str, says: str) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    refused = run(make_tree(tmp_path / "tree"), path=fake_python(tools, answer))
    assert refused.returncode == 1
    assert refused.stderr.startswith(says)
    assert refused.stderr.count("\n") == 1


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user may enter: pytest's own are closed to the others."""
    with tempfile.TemporaryDirectory(prefix="copydesk-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_tree_that_cannot_be_written_to_is_one_clear_line(public_folder: Path) -> None:
    root = make_tree(public_folder / "tree")
    root.chmod(0o555)
    as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*as_user, str(root / "run.sh")]
    refused = subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment(SYSTEM if as_user else None), check=False
    )
    root.chmod(0o755)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"copydesk: cannot write to {root}")
    assert refused.stderr.count("\n") == 1


def test_a_benchmark_needs_a_name(tree: Path) -> None:
    refused = run(tree, "bench")
    assert (refused.returncode, refused.stderr) == (2, "copydesk: which benchmark? ./run.sh bench NAME ...\n")
