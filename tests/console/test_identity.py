"""Who is let in over HTTP, and who is not."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from fastapi import Depends, FastAPI

from console.web import create_app
from console.web.attempts import Attempts
from console.web.identity import Caller, allow
from console.web.secrets import form_token, hash_password, matches
from storage.accounts import Scope
from storage.settings import load_settings
from storage.store import open_store

Cli = Callable[..., Result]
PASSWORD = "a ferry at dawn"
HERE = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """Asks the application without a socket, and keeps its cookies."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1") -> None:
        self.app, self.base, self.cookies = app, f"http://{host}", httpx.Cookies()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.cookies) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(send())

    def log_in(self, **more: str) -> httpx.Response:
        form = {"name": "ada", "password": PASSWORD} | more
        return self.ask("POST", "/login", data=form, headers=HERE)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    store = open_store(load_settings({"data": tmp_path / "copydesk-data"}, {}, tmp_path / "none"))
    made = create_app(store)

    @made.post("/press")
    def press(caller: Caller = Depends(allow(Scope.TRIGGER))) -> str:  # noqa: B008 - FastAPI's idiom
        return caller.name

    yield made
    store.close()


@pytest.fixture
def closed(app: FastAPI, cli: Cli) -> FastAPI:
    """The application when somebody has a password."""
    cli("password", "ada", "--stdin", stdin=PASSWORD)
    return app


def test_without_a_password_this_machine_may_read_and_nobody_write(app: FastAPI) -> None:
    assert Browser(app).ask("GET", "/api/changes").status_code == 200
    assert Browser(app, "news.example").ask("GET", "/api/changes").status_code == 401
    assert Browser(app).ask("POST", "/press").status_code == 401


def test_with_a_password_nobody_reads_unknown(closed: FastAPI) -> None:
    answer = Browser(closed).ask("GET", "/api/changes")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="copydesk"')
    assert answer.json()["title"] == "Unauthorized"


@pytest.mark.parametrize(("scope", "reads", "writes"), [("read", 200, 403), ("trigger", 200, 200), ("admin", 200, 200)])
def test_a_token_does_what_its_scope_says(closed: FastAPI, cli: Cli, scope: str, reads: int, writes: int) -> None:
    secret = cli("tokens", "add", "robot", "--scope", scope).stdout.strip()
    headers = {"Authorization": f"Bearer {secret}"}
    assert Browser(closed, "desk.example").ask("GET", "/api/changes", headers=headers).status_code == reads
    assert Browser(closed).ask("POST", "/press", headers=headers).status_code == writes


def test_a_revoked_or_wrong_token_is_nobody(app: FastAPI, cli: Cli) -> None:
    secret = cli("tokens", "add", "robot").stdout.strip()
    cli("tokens", "revoke", "robot")
    for told in (f"Bearer {secret}", "Bearer cd_guess", "Basic YTpi"):
        assert Browser(app).ask("GET", "/api/changes", headers={"Authorization": told}).status_code == 401


def test_the_store_keeps_no_secret(closed: FastAPI, cli: Cli, tmp_path: Path) -> None:
    secret = cli("tokens", "add", "robot").stdout.strip()
    browser = Browser(closed)
    browser.log_in()
    kept = b"".join(file.read_bytes() for file in (tmp_path / "copydesk-data").glob("copydesk.db*"))
    assert b"robot" in kept
    for word in (secret, PASSWORD, browser.cookies["copydesk"]):
        assert word.encode() not in kept


def test_logging_in_and_out(closed: FastAPI) -> None:
    browser = Browser(closed)
    answer = browser.log_in(to="/articles")
    assert (answer.status_code, answer.headers["location"]) == (303, "/articles")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "; secure" not in cookie
    assert browser.ask("GET", "/api/changes").status_code == 200
    form = {"form_token": form_token(browser.cookies["copydesk"])}
    assert browser.ask("POST", "/logout", data=form, headers=HERE).status_code == 303
    assert browser.ask("GET", "/api/changes").status_code == 401


def test_behind_tls_the_cookie_is_secure(closed: FastAPI) -> None:
    browser = Browser(closed)
    browser.base = "https://desk.example"
    assert "; secure" in browser.log_in().headers["set-cookie"].lower()


def test_a_new_password_logs_everybody_out(closed: FastAPI, cli: Cli) -> None:
    browser = Browser(closed)
    browser.log_in()
    cli("password", "ada", "--stdin", stdin=PASSWORD)  # the same one changes nothing
    assert browser.ask("GET", "/api/changes").status_code == 200
    cli("password", "ada", "--stdin", stdin="another ferry at dusk")
    assert browser.ask("GET", "/api/changes").status_code == 401


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:1", "/a\nb"])
def test_the_log_in_leads_nowhere_else(closed: FastAPI, to: str) -> None:
    assert Browser(closed).log_in(to=to).headers["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        (HERE, True, 200),
        (HERE, False, 403),
        ({"Sec-Fetch-Site": "cross-site"}, True, 403),
        ({"Origin": "http://evil.example"}, True, 403),
        ({"Origin": "http://127.0.0.1"}, True, 200),
        ({}, True, 403),
    ],
)
def test_another_sites_form_does_nothing(closed: FastAPI, headers: dict[str, str], token: bool, status: int) -> None:
    browser = Browser(closed)
    browser.log_in()
    given = {"X-Form-Token": form_token(browser.cookies["copydesk"])} if token else {}
    assert browser.ask("POST", "/press", headers=headers | given).status_code == status


def test_a_log_in_from_another_site_is_refused(closed: FastAPI) -> None:
    form = {"name": "ada", "password": PASSWORD}
    assert Browser(closed).ask("POST", "/login", data=form).status_code == 403


def test_guessing_is_slow(closed: FastAPI) -> None:
    browser = Browser(closed)
    statuses = [browser.log_in(password=f"guess {number}").status_code for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert browser.log_in().status_code == 429


def test_attempts_are_forgotten_and_bounded() -> None:
    attempts = Attempts(most=2, window_s=10, addresses=2)
    for at in (0.0, 1.0):
        attempts.failed("a", at)
    assert attempts.wait_s("a", 4.0) == pytest.approx(6.0)
    assert attempts.wait_s("a", 10.5) == 0
    for address in ("b", "c"):
        attempts.failed(address, 2.0)
    assert attempts.wait_s("a", 4.0) == 0


def test_hashes() -> None:
    kept = hash_password(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert matches(kept, PASSWORD)
    assert not matches(kept, "wrong")
    assert not matches(None, PASSWORD)


def test_every_answer_says_what_browsers_may_do(app: FastAPI) -> None:
    for path in ("/login", "/api/changes", "/nowhere"):
        headers = Browser(app).ask("GET", path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_refuses_to_be_seen_from_outside_without_a_password(cli: Cli) -> None:
    answer = cli("web", "--host", "0.0.0.0", exit_code=2)
    assert "nobody has a password yet" in answer.stderr


def test_people_and_tokens_are_listed_and_removed(cli: Cli) -> None:
    assert "too short" in cli("password", "ada", "--stdin", stdin="short", exit_code=2).stderr
    cli("password", "ada", "--stdin", stdin=PASSWORD)
    cli("tokens", "add", "robot", "--scope", "trigger")
    assert cli("password").stdout == "ada\n"
    assert "trigger" in cli("tokens", "list").stdout
    assert "choose another name" in cli("tokens", "add", "robot", exit_code=2).stderr
    cli("password", "ada", "--remove")
    assert cli("password").stdout == ""
    assert cli("tokens", "revoke", "nobody", exit_code=1)


def test_a_start_script_may_bring_the_password(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.logs.set_up", lambda *_, **__: None)
    monkeypatch.setattr("uvicorn.run", lambda _app, **said: print(said["host"]))
    asked = ("web", "--host", "0.0.0.0", "--password-variable", "WEB_PASSWORD")
    assert "WEB_PASSWORD is not set" in cli(*asked, exit_code=2).stderr
    monkeypatch.setenv("WEB_PASSWORD", PASSWORD)
    assert cli(*asked).stdout == "0.0.0.0\n"
    assert cli("password").stdout == "desk\n"
