import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.lifeline import SharedStop, StopSignal, is_alive
from tasks.supervise import Child, Supervisor, pause


def until(true: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait, with a bound, until something is true."""
    pause_ = threading.Event()
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        pause_.wait(0.05)


def child(name: str, code: str) -> Child:
    return Child(name=name, command=[sys.executable, "-c", code], environment=dict(os.environ))


FOREVER = "import signal; signal.pause()"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(said.append)
    yield made
    made.stop([child.name for child in made.children], 0.0)


def test_a_child_that_dies_is_started_again_after_a_while(supervisor: Supervisor, said: list[str]) -> None:
    mortal = child("mortal", FOREVER)
    supervisor.add(mortal)
    assert mortal.process is not None
    first = mortal.process.pid
    os.kill(first, signal.SIGKILL)

    def again() -> bool:
        supervisor.look()
        return mortal.process is not None and mortal.process.pid != first

    until(again)
    assert "mortal ended with code -9; it starts again in 1 s" in said


def test_the_pauses_grow_to_half_a_minute() -> None:
    assert [pause(deaths) for deaths in (1, 2, 3, 4, 5, 6, 99)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_asked_to_stop_may_finish_its_work(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    ready, done = tmp_path / "ready", tmp_path / "done"
    code = (
        f"import signal, pathlib\n"
        f"signal.signal(signal.SIGTERM, lambda *_: None)\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        f"signal.pause()\n"
        f"pathlib.Path({str(done)!r}).touch()\n"
    )
    supervisor.add(child("polite", code))
    until(ready.exists)

    supervisor.stop(["polite"], 10.0)

    assert done.exists()
    assert said[-1] == "polite stopped"


def test_one_that_does_not_stop_is_killed_with_its_own_children(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    code = (
        f"import signal, subprocess, sys, pathlib\n"
        f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        f"while True: signal.pause()\n"
    )
    stubborn = child("stubborn", code)
    supervisor.add(stubborn)
    assert stubborn.process is not None
    group = stubborn.process.pid
    until(ready.exists)

    supervisor.stop(["stubborn"], 0.3)

    assert said[-1] == "stubborn did not stop in time: killed"
    until(lambda: not is_alive(group) or only_zombies(group))


def only_zombies(group: int) -> bool:
    """An init that reaps no orphans (a container's) leaves the dead in the list."""
    states = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group:
            states.append(fields[0])
    return set(states) <= {"Z"}


def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = (
        f"import os, sys, signal, pathlib\n"
        f"from tasks.supervise import Child, Supervisor\n"
        f"boss = Supervisor(lambda line: None)\n"
        f"it = Child(name='it', command=[sys.executable, '-c', {FOREVER!r}], environment=dict(os.environ))\n"
        f"boss.add(it)\n"
        f"pathlib.Path({str(told)!r}).write_text(str(it.process.pid))\n"
        f"signal.pause()\n"
    )
    boss = child("boss", code)
    boss.start(0.0)
    assert boss.process is not None
    until(lambda: told.exists() and told.read_text())
    pid = int(told.read_text())
    assert is_alive(pid)

    boss.process.kill()
    boss.process.wait()

    until(lambda: not is_alive(pid) or only_zombies(pid))


def test_a_stop_signal_ends_the_wait_at_once() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal() as stop:
        assert not stop.wait(0.01)
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        assert stop.wait(30.0)
        assert time.monotonic() - began < 10.0
        assert stop.is_set()
        assert stop.wait(30.0)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_forked_process_sees_the_shared_stop() -> None:
    stop = SharedStop()
    inlet, outlet = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(inlet, 1)
        os._exit(7 if stop.is_set() else 1)
    stop.set()
    os.write(outlet, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    os.close(inlet)
    os.close(outlet)


def test_what_does_not_come_to_an_end_is_ended_after_a_stop_signal(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = (
        f"import pathlib, socket\n"
        f"from tasks.lifeline import StopSignal\n"
        f"silent, other = socket.socketpair()\n"
        f"with StopSignal(within_s=0.2):\n"
        f"    pathlib.Path({str(ready)!r}).touch()\n"
        f"    silent.recv(1)\n"
    )
    stuck = child("stuck", code)
    stuck.start(0.0)
    assert stuck.process is not None
    until(ready.exists)
    stuck.process.terminate()
    assert stuck.process.wait(10) == 0
