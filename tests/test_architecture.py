"""The shape of the code: which way imports run, what the pure leaves leave out, and how long a file may get."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = ("storage", "crawler", "tasks", "console")
"""From the floor up: a package imports itself and those before it."""

LEAVES = (
    "crawler.addresses",
    "crawler.cron",
    "crawler.dates",
    "crawler.discovery*",
    "crawler.importing",
    "crawler.interval",
    "crawler.retry",
    "crawler.robots",
    "crawler.urls",
    "storage.characters",
    "storage.errors",
    "storage.records",
    "storage.settings",
    "tasks.clean",
    "tasks.compare",
    "tasks.credit",
    "tasks.decide",
    "tasks.decode",
    "tasks.diff",
    "tasks.extract*",
    "tasks.fingerprint",
    "tasks.likeness",
    "tasks.marks",
    "tasks.normalize",
    "tasks.notes",
    "tasks.parts",
    "tasks.shingles",
    "tasks.text",
)
"""Modules that do no more than compute: testable with a value in and a value out."""

MACHINERY = {"scrapy", "twisted", "celery", "kombu", "redis", "sqlalchemy", "alembic", "psycopg", "sqlite3", "fastapi"}

LONGEST = 400
LONGER = {"storage/records.py": "one record per noun, which all speak in; cutting it up would only scatter the nouns"}


@dataclass(frozen=True)
class Import:
    """That a module names another; `at_import` unless inside a function or for the type checker only."""

    target: str
    line: int
    at_import: bool


class Finder(ast.NodeVisitor):
    """Collects the imports of one module, and whether each runs when the module is imported."""

    def __init__(self, package: str, known: frozenset[str]) -> None:
        self.package, self.known = package, known
        self.found: list[Import] = []
        self.deferred = 0

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parents = self.package.split(".")[: len(self.package.split(".")) - node.level + 1]
            base = ".".join([*parents, *([base] if base else [])])
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            self._add(inner if inner in self.known else base, node.lineno)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._defer(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  the visitor's own naming

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            self._defer(node.body)
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def _defer(self, body: list[ast.stmt]) -> None:
        self.deferred += 1
        for statement in body:
            self.visit(statement)
        self.deferred -= 1

    def _add(self, target: str, line: int) -> None:
        self.found.append(Import(target, line, at_import=not self.deferred))


def sources(*folders: str) -> dict[str, Path]:
    """The modules of these packages by name."""
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def imports_of(name: str, text: str, *, is_package: bool, known: frozenset[str]) -> list[Import]:
    finder = Finder(name if is_package else name.rpartition(".")[0], known)
    finder.visit(ast.parse(text))
    return finder.found


def graph() -> dict[str, list[Import]]:
    modules = sources(*LAYERS)
    known = frozenset(modules)
    return {
        name: imports_of(name, file.read_text("utf-8"), is_package=file.name == "__init__.py", known=known)
        for name, file in modules.items()
    }


GRAPH = graph()


def upward(modules: Mapping[str, list[Import]]) -> Iterator[str]:
    """Each import that runs up the layers, lazy ones too."""
    for name, found in modules.items():
        for one in found:
            layer, other = name.partition(".")[0], one.target.partition(".")[0]
            if other in LAYERS and LAYERS.index(other) > LAYERS.index(layer):
                yield f"{name}:{one.line} imports {one.target}"


def reached(name: str, modules: Mapping[str, list[Import]]) -> dict[str, str]:
    """The top packages that importing a module imports through ours, each with the module that names it."""
    seen, waiting, packages = {name}, [name], {}
    while waiting:
        at = waiting.pop()
        for one in modules[at]:
            if one.at_import and one.target in modules:
                waiting += [one.target] * (one.target not in seen)
                seen.add(one.target)
            elif one.at_import or at == name:
                packages[one.target.partition(".")[0]] = at
    return packages


def cycles(modules: Mapping[str, list[Import]]) -> Iterator[str]:
    """The chains of imports, at import time, by which a module comes back to itself."""
    done: set[str] = set()

    def follow(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            yield " -> ".join([*path[path.index(name) :], name])
        elif name not in done:
            for one in modules[name]:
                if one.at_import and one.target in modules and one.target != name:
                    yield from follow(one.target, (*path, name))
            done.add(name)

    for name in modules:
        yield from follow(name, ())


def leaves() -> list[str]:
    return [name for name in GRAPH if any(fnmatch(name, pattern) for pattern in LEAVES)]


def test_imports_run_one_way() -> None:
    assert list(upward(GRAPH)) == []


def test_no_cycle_at_import_time() -> None:
    assert list(cycles(GRAPH)) == []


@pytest.mark.parametrize("name", leaves())
def test_a_pure_leaf_imports_no_machinery(name: str) -> None:
    assert {package: via for package, via in reached(name, GRAPH).items() if package in MACHINERY} == {}


@pytest.mark.parametrize("pattern", LEAVES)
def test_each_leaf_that_is_named_exists(pattern: str) -> None:
    assert any(fnmatch(name, pattern) for name in GRAPH)


def test_no_file_is_too_long() -> None:
    long = {
        str(file.relative_to(ROOT)): count
        for file in sources(*LAYERS, "benchmarks", "tests").values()
        if (count := len(file.read_text("utf-8").splitlines())) > LONGEST
    }
    assert long.keys() == LONGER.keys(), long


def test_every_module_says_what_it_is() -> None:
    modules = {name: ast.parse(file.read_text("utf-8")) for name, file in sources(*LAYERS).items()}
    assert [name for name, tree in modules.items() if not ast.get_docstring(tree)] == []


def example(**modules: str) -> dict[str, list[Import]]:
    """A graph of made-up modules; `storage__a` stands for storage.a."""
    texts = {name.replace("__", "."): text for name, text in modules.items()}
    known = frozenset(texts)
    return {name: imports_of(name, text, is_package=False, known=known) for name, text in texts.items()}


def test_the_checks_find_what_they_look_for() -> None:
    lazy = example(storage__a="def f():\n    from tasks import b", tasks__b="")
    assert list(upward(lazy)) == ["storage.a:2 imports tasks.b"]
    ring = example(tasks__a="from tasks import b", tasks__b="from .c import x", tasks__c="import tasks.a")
    assert list(cycles(ring)) == ["tasks.a -> tasks.b -> tasks.c -> tasks.a"]
    broken = example(tasks__a="from tasks import b", tasks__b="def f():\n    import tasks.a")
    assert list(cycles(broken)) == []
    typed = example(tasks__a="if TYPE_CHECKING:\n    import tasks.b", tasks__b="import tasks.a")
    assert list(cycles(typed)) == []
    through = example(tasks__text="from storage import a", storage__a="import sqlalchemy.orm")
    assert reached("tasks.text", through) == {"sqlalchemy": "storage.a"}
