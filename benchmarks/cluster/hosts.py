"""Hosts made of network namespaces (ip-netns(8)) on one bridge, each with a share of a core (cgroups(7))."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

NETWORK = "10.77"
_GROUPS = Path("/sys/fs/cgroup")
_PERIOD_US = 20_000


class Forbidden(Exception):
    """This machine does not let us make hosts."""


class Hosts:
    """The hosts, by name. The first has the address 10.77.0.1, and so on."""

    def __init__(self, names: Sequence[str]) -> None:
        self._mark = f"cd{os.getpid()}"
        self.names = tuple(names)
        self._groups: list[Path] = []

    def address(self, host: str) -> str:
        """Its own address."""
        return f"{NETWORK}.0.{self.names.index(host) + 1}"

    def also(self, host: str, addresses: Sequence[str]) -> None:
        """Give a host more addresses."""
        for address in addresses:
            self._ip("-n", self._space(host), "addr", "replace", f"{address}/16", "dev", "eth0")

    def delay(self, seconds: float) -> bool:
        """Delay what each host sends; returns whether the kernel can."""
        for host in self.names:
            words = ["tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", f"{seconds * 1000}ms"]
            done = subprocess.run(["ip", "netns", "exec", self._space(host), *words], check=False, capture_output=True)
            if done.returncode:
                return False
        return True

    def command(self, host: str, words: Sequence[str]) -> list[str]:
        """The command line that runs a command there, under the host's own name."""
        named = ["unshare", "--uts", "sh", "-c", f'hostname {host} && exec "$@"', "sh", *words]
        there = ["ip", "netns", "exec", self._space(host), *named]
        group = self._group(host) / "cgroup.procs"  # entered first: a namespace has a /sys of its own
        return ["sh", "-c", f'echo $$ >{group} && exec "$@"', "sh", *there]

    def limit(self, host: str, cores: float, processes: Sequence[int] = ()) -> None:
        """Give a host, with these processes, so much of the processor."""
        group = self._group(host)
        quota = round(cores * _PERIOD_US)
        if (group / "cpu.cfs_quota_us").exists():
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
        for process in processes:
            with suppress(ProcessLookupError):  # a connection that was closed in between
                (group / "cgroup.procs").write_text(str(process))

    def cut(self, host: str) -> None:
        """Pull its plug out of the network."""
        self._ip("-n", self._space("switch"), "link", "set", host, "down")

    def make(self) -> None:
        """Make all of them. Raises Forbidden."""
        if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
            raise Forbidden("hosts are network namespaces: this needs root, ip (iproute2) and unshare (util-linux)")
        try:
            self._wire()
        except (OSError, subprocess.CalledProcessError) as error:
            detail = getattr(error, "stderr", b"").decode().strip() or str(error)
            raise Forbidden(f"hosts are network namespaces, which this machine does not allow: {detail}") from error

    def remove(self) -> None:
        """Remove them, with what still runs there."""
        for group in self._groups:
            for process in (group / "cgroup.procs").read_text("utf-8").split():
                with suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGKILL)
        for name in (*self.names, "switch"):
            subprocess.run(["ip", "netns", "del", self._space(name)], check=False, capture_output=True)
        for group in self._groups:
            with suppress(OSError):  # what was killed takes a moment to go
                group.rmdir()

    def _wire(self) -> None:
        switch = self._space("switch")
        self._ip("netns", "add", switch)
        self._ip("-n", switch, "link", "add", "br0", "type", "bridge")
        self._ip("-n", switch, "link", "set", "br0", "up")
        for host in self.names:
            space = self._space(host)
            self._ip("netns", "add", space)
            self._ip("-n", switch, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", space)
            self._ip("-n", switch, "link", "set", host, "master", "br0", "up")
            self._ip("-n", space, "addr", "add", f"{self.address(host)}/16", "dev", "eth0")
            self._ip("-n", space, "link", "set", "eth0", "up")
            self._ip("-n", space, "link", "set", "lo", "up")
            self._group(host).mkdir()
            self._groups.append(self._group(host))

    def _space(self, host: str) -> str:
        return f"{self._mark}-{host}"

    def _group(self, host: str) -> Path:
        one = _GROUPS / "cpu"  # version 1 has a tree for each controller
        return (one if one.is_dir() else _GROUPS) / self._space(host)

    @staticmethod
    def _ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def hosts(names: Sequence[str]) -> Iterator[Hosts]:
    """The hosts, until the end of the block. Raises Forbidden."""
    made = Hosts(names)
    try:
        made.make()
        yield made
    finally:
        made.remove()


@contextmanager
def running(
    made: Hosts, host: str, words: Sequence[str], environment: Mapping[str, str], *, talks: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A command on a host, until the end of the block. One that `talks` says `open` when it is ready."""
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if talks else {"stdout": subprocess.DEVNULL}
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(  # type: ignore[call-overload]
            made.command(host, words),
            env={**os.environ, **environment},
            text=True,
            stderr=told,
            start_new_session=True,
            **how,
        )
        try:
            if talks and process.stdout.readline() != "open\n":
                told.seek(0)
                raise RuntimeError(f"{host}: {told.read()}")
            yield process
        finally:
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
