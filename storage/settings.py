"""Settings: one frozen object, built once from defaults < copydesk.toml < COPYDESK_* variables < options."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from storage.errors import SettingsError


def _doc(text: str, default: Any) -> Any:
    return field(default=default, metadata={"doc": text})


_WORDS = {"log_level": ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "log_format": ("TEXT", "JSON")}
"""Settings that are one of a few words, in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every knob there is. `origin` tells where each value came from."""

    data: Path = _doc("Folder of everything: database, archive, datasets, the embedded broker.", Path("copydesk-data"))
    database: str = _doc(
        "Database URL: sqlite:///FILE or postgresql://USER@HOST/NAME. Empty: SQLite in the data folder.", ""
    )
    broker: str = _doc("Broker URL (redis://… or amqp://…). Empty: an embedded Valkey in the data folder.", "")
    archive: str = _doc("Folder or fsspec URL of the WARC archive. Empty: archive/ in the data folder.", "")
    user_agent: str = _doc("Name sent to sites; robots rules are matched against its first word.", "Copydesk/0.1")
    contact: str = _doc("Address or URL sent with the user agent, so that a site can reach you.", "")
    allow_addresses: tuple[str, ...] = _doc(
        "Exceptions from the address guard, as ADDRESS or ADDRESS:PORT, comma-separated: sites in private networks.",
        (),
    )
    proxies: tuple[str, ...] = _doc(
        "Proxies that sources may name, as http://HOST:PORT, comma-separated. A proxy resolves names out of our sight.",
        (),
    )
    public_url: str = _doc("Where hubs reach this web server from outside, for WebSub pushes. Empty: none.", "")
    delay_s: float = _doc("Least seconds between two requests to one site, unless robots ask for more.", 1.0)
    max_delay_s: float = _doc(
        "Most seconds of a Crawl-delay that is obeyed by waiting; a longer one is capped here.", 60.0
    )
    timeout_s: float = _doc("Seconds that one fetch may take in all.", 30.0)
    max_bytes: int = _doc("Most bytes of a body, after decompression.", 10_000_000)
    max_redirects: int = _doc("Most redirects that are followed for one fetch.", 5)
    pages_per_site: int = _doc("Most pages fetched from one site in one claim.", 100)
    waiting_per_site: int = _doc(
        "Most pages of one site that wait to be fetched; what is listed beyond that is left to a later poll.", 100_000
    )
    sites_per_crawl: int = _doc("Most sites that one crawl process claims at once.", 32)
    min_interval_s: int = _doc("Least seconds between two polls of a source.", 300)
    max_interval_s: int = _doc("Most seconds between two polls of a healthy source.", 86_400)
    tick_s: float = _doc("Seconds between two looks of the scheduler at what is due.", 5.0)
    lease_s: int = _doc("Seconds that a claimed site stays reserved without a sign of life.", 120)
    batch: int = _doc("Most page ids in one message to the process workers.", 50)
    recheck: bool = _doc("Look at articles again, ever more rarely for seven days, so that corrections are seen.", True)
    candidate_days: int = _doc(
        "Days after which an unchanged article is no more found by likeness; equal texts always are. 0: for ever.", 90
    )
    keep_archive_days: int = _doc("Days that raw exchanges are kept, after which they go with their file; 0: ever.", 0)
    keep_versions_days: int = _doc("Days that the text of a version is kept after a newer one came; 0: for ever.", 0)
    keep_polls_days: int = _doc("Days that the history of polls is kept; 0: for ever.", 90)
    keep_sightings_days: int = _doc(
        "Days that it is kept what a listing said of a page, after it showed it last; 0: for ever.", 0
    )
    max_attempts: int = _doc("Failed tries of a stage before a page is quarantined.", 4)
    gone_after_s: int = _doc(
        "Seconds until the second look at an article that is gone; if it still is, it counts as withdrawn.",
        21_600,
    )
    pack_bytes: int = _doc("Bytes of hot bodies that are packed into one WARC file.", 64_000_000)
    pack_after_s: int = _doc("Age in seconds at which hot bodies are packed even if they are few.", 3_600)
    recipes: str = _doc("TOML file of site recipes. Empty: none.", "")
    alerts: tuple[str, ...] = _doc(
        "Environment variables that each hold an Apprise URL (mailto://…, slack://…) to be told what is wrong.", ()
    )
    quiet_hours: str = _doc("When no new alert is sent, as 22:00-07:00 Europe/Berlin. Empty: never.", "")
    web_host: str = _doc("Address that the web server binds to.", "127.0.0.1")
    web_port: int = _doc("Port of the web server.", 8000)
    log_level: str = _doc("DEBUG, INFO, WARNING or ERROR.", "INFO")
    log_format: str = _doc("How a line of the log is written: text or json.", "text")
    origin: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def database_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database or f"sqlite:///{self.data.absolute() / 'copydesk.db'}"

    @property
    def archive_root(self) -> str:
        """The archive's folder or URL, with the default filled in."""
        return self.archive or str(self.data.absolute() / "archive")

    @property
    def agent(self) -> str:
        """The whole User-Agent header."""
        return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent

    def environment(self) -> dict[str, str]:
        """The settings that are not defaults as COPYDESK_* variables, for a child process."""
        return {_variable(n): _as_text(getattr(self, n)) for n in names() if self.origin.get(n, "default") != "default"}


def names() -> tuple[str, ...]:
    """The names of all settings, in the order they are shown."""
    return tuple(spec.name for spec in fields(Settings) if spec.name != "origin")


def describe() -> dict[str, str]:
    """What each setting means."""
    return {spec.name: spec.metadata["doc"] for spec in fields(Settings) if spec.name != "origin"}


def load_settings(
    options: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, file: Path | None = None
) -> Settings:
    """Build the settings. Raises SettingsError naming the key and where it stands."""
    environ = os.environ if environ is None else environ
    file = file or Path(environ.get("COPYDESK_CONFIG", "copydesk.toml"))
    values: dict[str, Any] = {}
    origin = dict.fromkeys(names(), "default")
    for where, found in (
        (str(file), _from_file(file)),
        ("environment", _from_environment(environ)),
        ("option", options or {}),
    ):
        for name, raw in found.items():
            if name not in origin:
                raise SettingsError(f"{where}: unknown setting {name!r}; 'copydesk settings' lists all of them")
            values[name] = _typed(name, raw, where)
            origin[name] = where
    return Settings(**values, origin=origin)


def _from_file(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    prefix = "COPYDESK_"
    return {
        key[len(prefix) :].lower(): value
        for key, value in environ.items()
        if key.startswith(prefix) and key != "COPYDESK_CONFIG"
    }


def _typed(name: str, raw: Any, where: str) -> Any:
    kind = get_type_hints(Settings)[name]
    try:
        if kind == tuple[str, ...]:
            return tuple(part.strip() for part in (raw.split(",") if isinstance(raw, str) else raw) if part.strip())
        value = _truth(raw) if kind is bool else kind(raw)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {name} must be a {kind.__name__}, not {raw!r}") from error
    if name in _WORDS and str(value).upper() not in _WORDS[name]:
        raise SettingsError(f"{where}: {name} must be one of {', '.join(_WORDS[name])}, not {raw!r}")
    if kind in (int, float) and value < 0:
        raise SettingsError(f"{where}: {name} must not be negative, but is {raw!r}")
    return value


def _truth(raw: Any) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    word = str(raw).strip().lower()
    if word not in words:
        raise ValueError(word)
    return words[word]


def _variable(name: str) -> str:
    return f"COPYDESK_{name.upper()}"


def _as_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
