"""What the documentation shows works: each example is run, each link leads somewhere, each name exists."""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import uvicorn
import yaml
from click.testing import CliRunner

from console.cli import main
from console.web import create_app
from storage.query import FIELDS
from storage.reader_tables import ARTICLES_VIEW
from storage.settings import load_settings
from storage.store import open_store

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
SERVED = "http://127.0.0.1:8000"
_BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)?)^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NOT_RUN = re.compile(r"<!-- not run: .{10,} -->\n")
RUNNABLE = {"sh", "python", "sql"}
ELSEWHERE = {"sources.md", "scale.md"}
"""Pages whose commands need the network, or hours."""


@dataclass(frozen=True)
class Example:
    """One block of a page, with what it is to print."""

    kind: str
    flavour: str
    code: str
    output: str = ""


def examples(text: str) -> list[Example]:
    """The blocks of a page that are to be run, in their order."""
    found: list[Example] = []
    for above, kind, flavour, code in _BLOCK.findall(text):
        if above == "<!-- output -->\n":
            last = found.pop()
            found.append(Example(last.kind, last.flavour, last.code, code))
        elif kind in RUNNABLE and not _NOT_RUN.fullmatch(above):
            found.append(Example(kind, flavour, code))
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of the examples."""
    folder = tmp_path_factory.mktemp("docs")
    with contextlib.chdir(folder):
        for words in (["ingest", str(DOCS / "example.jsonl")], ["search", "ferry"]):
            result = CliRunner().invoke(main, words)
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def place(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with that store and the documentation, and `copydesk` on the path."""
    shutil.copytree(stored / "copydesk-data", tmp_path / "copydesk-data")
    (tmp_path / "docs").symlink_to(DOCS)
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "copydesk"
    script.write_text(f"#!{sys.executable}\nfrom console.cli import main\n\nmain()\n", "utf-8")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.fixture
def served(place: Path) -> Iterator[Callable[[], str]]:
    """Starts the web server when it is first asked for; gives its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []
    store = open_store(load_settings())

    def start() -> str:
        if not running:
            bound = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(create_app(store), log_level="warning"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
            thread.start()
            running.append((server, thread))
            start.address = f"http://127.0.0.1:{bound.getsockname()[1]}"  # type: ignore[attr-defined]
        return str(start.address)  # type: ignore[attr-defined]

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(20)
    store.close()


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ELSEWHERE])
def test_the_examples_of_a_page_run(page: str, served: Callable[[], str]) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    for example in examples((DOCS / page).read_text("utf-8")):
        run(example, served, names)


def test_the_examples_of_the_readme_run(served: Callable[[], str]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.partition("\n## Reading the store\n")[2].partition("\n## ")[0]
    found = examples(section)
    assert {(one.kind, one.flavour) for one in found} >= {("sql", ""), ("sql", "duckdb"), ("sh", ""), ("python", "")}
    for example in found:
        run(example, served, {"__name__": "example"})


def run(example: Example, served: Callable[[], str], names: dict[str, Any]) -> None:
    code = example.code.replace(SERVED, served()) if SERVED in example.code else example.code
    if example.kind == "sh":
        told = shell(code)
    elif example.kind == "python":
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "example", "exec"), names)
        told = out.getvalue()
    else:
        told = "\n".join(map(str, asked(example.flavour, code)))
    pattern = ".*".join(re.escape(part) for part in example.output.strip().split("…"))
    assert re.search(pattern, told, re.DOTALL), f"{code}\nprints\n{told}"


def shell(code: str) -> str:
    """Run lines as a person would; plain calls of the program in this process, which saves its start."""
    lines = [line for line in code.replace("\\\n", " ").splitlines() if line.strip()]
    if all(re.match(r"copydesk [^|<>$;&]*$", line.partition(" #")[0]) for line in lines):
        return "".join(map(call, lines))
    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{code}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def call(line: str) -> str:
    result = CliRunner().invoke(main, shlex.split(line, comments=True)[1:])
    assert result.exit_code == 0, f"{line}\n{result.output}"
    return result.stdout


def asked(flavour: str, code: str) -> list[Any]:
    """Ask the database that a block is for; those for PostgreSQL have a test of their own."""
    if flavour == "duckdb":
        answer = duckdb.sql(code)
        assert answer is not None
        return answer.fetchall()
    if flavour == "postgresql":
        return []
    with contextlib.closing(sqlite3.connect("file:copydesk-data/copydesk.db?mode=ro", uri=True)) as database:
        rows = database.execute(code).fetchall()
    assert rows, code
    return rows


def test_the_sql_of_all_pages_is_the_same_on_postgresql(tmp_path: Path, postgres_database: str) -> None:
    words = ["--data", str(tmp_path), "--database", postgres_database, "ingest", str(DOCS / "example.jsonl")]
    assert CliRunner().invoke(main, words).exit_code == 0
    texts = [path.read_text("utf-8") for path in (ROOT / "README.md", *DOCS.glob("*.md"))]
    found = [one for text in texts for one in examples(text) if one.kind == "sql" and one.flavour in ("", "postgresql")]
    assert len(found) > 6
    with psycopg.connect(postgres_database) as database:
        for one in found:
            for statement in one.code.split(";"):
                asking = statement.strip().startswith("SELECT")
                if statement.strip():
                    answer = database.execute(statement)
                    assert not asking or answer.fetchall(), statement
        database.rollback()  # a role is known to the whole server


@pytest.mark.parametrize(
    "page", ["README.md", "SECURITY.md", "benchmarks/README.md", *(f"docs/{name}" for name in PAGES)]
)
def test_no_link_is_dead(page: str) -> None:
    dead = []
    for target in _LINK.findall((ROOT / page).read_text("utf-8")):
        name, _, anchor = target.partition("#")
        if "://" in name or name.startswith("mailto:"):
            continue
        file = (ROOT / page).parent / name if name else ROOT / page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text("utf-8"))):
            dead.append(target)
    assert dead == []


def anchors(text: str) -> set[str]:
    """The names by which headings are linked to on the usual forges."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_each_page_can_be_found() -> None:
    known = {page: set(_LINK.findall((DOCS / page).read_text("utf-8"))) for page in PAGES}
    linked = set().union(*known.values()) | set(re.findall(r"docs/([\w.]+)", (ROOT / "README.md").read_text("utf-8")))
    assert set(PAGES) <= {target.partition("#")[0] for target in linked}


def test_a_block_is_left_out_only_with_a_reason() -> None:
    for page in set(PAGES) - ELSEWHERE:
        for above, kind, _, _ in _BLOCK.findall((DOCS / page).read_text("utf-8")):
            assert kind not in RUNNABLE or not above.strip() or _NOT_RUN.fullmatch(above), (page, above)


def test_the_view_has_the_columns_that_are_told_of() -> None:
    table = (DOCS / "sql.md").read_text("utf-8").partition("## Columns")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    columns = ARTICLES_VIEW.partition("SELECT")[2].partition("\nFROM")[0]
    assert told == {re.split(r"[ .]", part.strip())[-1] for part in re.sub(r"\(.*?\)", "", columns).split(",")}


def test_each_route_is_told_of_and_no_other(place: Path) -> None:
    with open_store(load_settings()) as store:
        paths = create_app(store).openapi()["paths"]
    have = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs if path.startswith("/api/")}
    text = (DOCS / "api.md").read_text("utf-8").partition("## Routes")[2].partition("\n## ")[0]
    told = {one.partition("?")[0] for one in re.findall(r"`((?:GET|PUT|POST|DELETE) /api/[^`]+)`", text)}
    assert told == have


def test_the_search_fields_are_those_of_the_syntax() -> None:
    text = (DOCS / "search.md").read_text("utf-8")
    assert set(FIELDS) <= set(re.findall(r"[`: ](\w+)[`:]", text))


def test_each_action_that_operators_read_of_is_told_by_the_code() -> None:
    table = (DOCS / "operating.md").read_text("utf-8").partition("| action | level |")[2].partition("\n\n")[0]
    told = {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    packages = ("storage", "crawler", "tasks", "console")
    code = "".join(path.read_text("utf-8") for package in packages for path in (ROOT / package).rglob("*.py"))
    assert len(told) > 8
    assert {name for name in told if f'telling("{name}"' not in code} == set()


@pytest.fixture
def exported(served: Callable[[], str]) -> str:
    """What `/metrics` answers where each kind of label has a value."""
    call("copydesk consumers add warehouse")
    call("copydesk sources add https://news.example/feed")
    with contextlib.closing(socket.socket()):
        return shell(f"curl -s {served()}/metrics")


def test_each_metric_that_is_named_is_exported(exported: str) -> None:
    known = set(re.findall(r"^# TYPE (\w+) gauge", exported, re.MULTILINE)) | {"copydesk_queue_messages"}
    board = json.loads((DOCS / "grafana.json").read_text("utf-8"))
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text("utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    queries += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    told = set(re.findall(r"`(copydesk_\w+)", (DOCS / "metrics.md").read_text("utf-8")))
    assert told == known
    assert {name for query in queries for name in re.findall(r"\bcopydesk_\w+", query)} <= known
    labels = dict(re.findall(r"^(copydesk_\w+)\{(\w+)=", exported, re.MULTILINE))
    for query in queries:
        for name, label, value in re.findall(r'(copydesk_\w+)\{(\w+)="(\w+)"\}', query):
            assert labels.get(name, label) == label
            assert f'{name}{{{label}="{value}"}}' in exported or name == "copydesk_open_events", query


def test_the_board_and_the_rules_are_whole() -> None:
    board = json.loads((DOCS / "grafana.json").read_text("utf-8"))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["title"] and panel["targets"] for panel in board["panels"])
    rules = [
        rule for group in yaml.safe_load((DOCS / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
    ]
    assert all(rule["annotations"].keys() == {"summary", "what_to_do"} for rule in rules)
