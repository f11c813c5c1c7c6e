"""docker-compose.yml against the code: it names no command, variable, file or health check that does not exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from console.cli import main
from storage.settings import load_settings, names

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "copydesk"}
ONE_SHOT = {name for name, service in SERVICES.items() if service["restart"] == "no"}

REFERENCE = re.compile(r"\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


def references(text: str) -> Iterator[tuple[str, str, str]]:
    """Name, operator and text of each variable that Compose fills in."""
    return ((match[1], match[2] or "", match[3] or "") for match in REFERENCE.finditer(text))


def uncommented(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def copydesk_commands() -> list[list[str]]:
    """The words after `copydesk` in each command and health check."""
    lists = [service["command"] for service in OURS.values()]
    lists += [service["healthcheck"]["test"][1:] for service in OURS.values() if "healthcheck" in service]
    return [words[1:] for words in lists if words[0] == "copydesk"]


def routes() -> set[str]:
    """The paths of GET routes in the web server's source."""
    tree = ast.parse((ROOT / "console" / "web.py").read_text("utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "get"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == {"migrate", "scheduler", "crawl", "process", "web", "redis", "postgres"}
    assert {"migrate"} == ONE_SHOT


@pytest.mark.parametrize("words", copydesk_commands(), ids=" ".join)
def test_each_command_is_one_that_the_program_takes(words: list[str]) -> None:
    with click.Context(main) as context:
        command = main.get_command(context, words[0])
        assert command is not None
        command.make_context(words[0], words[1:], parent=context)


def test_all_queues_have_a_worker() -> None:
    with click.Context(main) as context:
        worker = main.get_command(context, "worker")
        assert worker is not None
        (choice,) = [param.type for param in worker.params if isinstance(param.type, click.Choice)]
    served = {queue for words in copydesk_commands() if words[0] == "worker" for queue in words[1:]}
    assert served == set(choice.choices)


def test_each_variable_of_ours_is_a_setting_with_a_good_value() -> None:
    known = {f"COPYDESK_{name.upper()}" for name in names()}
    for service in OURS.values():
        assert set(service["environment"]) <= known
        filled = {name: REFERENCE.sub("INFO", value) for name, value in service["environment"].items()}
        assert load_settings(environ=filled, file=Path("absent.toml")).database.endswith("@postgres/copydesk")
    image = set(re.findall(r"COPYDESK_\w+", (ROOT / "Dockerfile").read_text("utf-8")))
    assert image <= known


def test_the_web_server_binds_where_its_port_is_published_and_checked() -> None:
    web = SERVICES["web"]
    port = web["environment"]["COPYDESK_WEB_PORT"]
    assert web["environment"]["COPYDESK_WEB_HOST"] == "0.0.0.0"
    assert web["ports"] == ["${WEB_BIND:-127.0.0.1}:${WEB_PORT:-8000}:" + port]
    address = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)'", web["healthcheck"]["test"][-1])
    assert address is not None
    assert address[1] == port
    assert address[2] in routes()
    compile(web["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_no_password_has_a_default() -> None:
    secrets = [found for found in references(uncommented(TEXT)) if re.search("PASSWORD|SECRET|TOKEN|KEY", found[0])]
    assert {name for name, _, _ in secrets} == {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    for name, operator, message in secrets:
        assert operator == ":?", name
        assert name in message
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or REFERENCE.fullmatch(value), f"{name} is written out"


def test_every_variable_is_in_the_example_and_empty_there() -> None:
    example = dict(
        line.split("=", 1) for line in uncommented((ROOT / ".env.example").read_text("utf-8")).splitlines() if line
    )
    assert set(example) == {name for name, _, _ in references(uncommented(TEXT))}
    assert not any(example.values())


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_a_service_waits_only_for_what_can_come_about() -> None:
    for service in OURS.values():
        for needed, how in service["depends_on"].items():
            finished = how["condition"] == "service_completed_successfully"
            assert finished == (needed in ONE_SHOT)
            assert finished or "healthcheck" in SERVICES[needed]


def test_volumes_are_declared_and_used() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert used == set(COMPOSE["volumes"])


def test_ours_write_where_the_image_lets_them() -> None:
    assert {service["environment"]["COPYDESK_DATA"] for service in OURS.values()} == {"/data"}
    assert all(service["volumes"] == ["data:/data"] for service in OURS.values())
    assert "install -d -o copydesk -g copydesk /data" in (ROOT / "Dockerfile").read_text("utf-8")


def test_the_image_is_made_of_files_that_exist_and_reach_the_builder() -> None:
    docker = (ROOT / "Dockerfile").read_text("utf-8")
    copied = [word for line in re.findall(r"^COPY (.+)$", docker, re.MULTILINE) for word in line.split()[:-1]]
    allowed = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))
    assert set(copied) == allowed
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert re.search(r"^USER copydesk$", docker, re.MULTILINE)
