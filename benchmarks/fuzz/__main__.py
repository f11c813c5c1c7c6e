"""A run: children parse mutated inputs; one that dies or does not come back is a find, and its input is saved.

    python -m benchmarks.fuzz [--seconds 60] [--inputs N] [--seed S] [--first N] [--jobs 1] [--limit 20] [--save FOLDER]

Inputs are numbered, and number N of a seed is always the same; `--first` goes on where an earlier run ended. The last
line is JSON; exit 1 where something was found.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks.fuzz.mutate import make
from benchmarks.fuzz.targets import target

_ROOT = Path(__file__).parents[2]
_STARTING_S = 60.0
"""What a child may take until its first input, imports included."""


@dataclass(slots=True)
class Run:
    """What was done so far."""

    seed: int
    limit_s: float
    folder: Path
    inputs: int = 0
    crashes: int = 0
    hangs: int = 0
    slowest_s: float = 0.0
    finds: Counter[str] = field(default_factory=Counter)

    def found(self, kind: str, number: int, what: str) -> None:
        """Count a find, tell it, and save its input."""
        if kind == "hang":
            self.hangs += 1
        else:
            self.crashes += 1
        self.finds[what] += 1
        one = make(self.seed, number)
        self.folder.mkdir(parents=True, exist_ok=True)
        saved = self.folder / f"{kind}-{target(one).__name__}-{self.seed}-{number}.bin"
        saved.write_bytes(one.body)
        print(f"{kind}: input {number} ({target(one).__name__}): {what}; saved as {saved.name}", flush=True)


class Child:
    """One parsing process, started anew behind the input that it could not do."""

    def __init__(self, run: Run, first: int, step: int) -> None:
        self.run, self.step = run, step
        self.number: int | None = None
        self.next, self.since = first, time.monotonic()
        self.heard = b""
        self.process = self._start()

    @property
    def out(self) -> IO[bytes]:
        """Where it speaks."""
        assert self.process.stdout is not None
        return self.process.stdout

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "benchmarks.fuzz.child", str(self.run.seed), str(self.next), str(self.step)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, cwd=_ROOT)

    def hear(self) -> bool:
        """Take what was said; False where the process has ended."""
        said = os.read(self.out.fileno(), 65_536)
        *lines, self.heard = (self.heard + said).split(b"\n")
        for line in lines:
            self._take(line)
        return bool(said)

    def _take(self, line: bytes) -> None:
        now = time.monotonic()
        if line.startswith(b"{"):
            told = json.loads(line)
            assert self.number is not None
            self.run.found("crash", self.number, f"{told['error']} at {Path(told['at']).name}")
        else:
            if self.number is not None:
                self.run.inputs += 1
                self.run.slowest_s = max(self.run.slowest_s, now - self.since)
            self.number = int(line)
            self.next = self.number + self.step
        self.since = now

    def late(self) -> bool:
        """Whether it has been at one input for too long."""
        return time.monotonic() - self.since > (_STARTING_S if self.number is None else self.run.limit_s)

    def again(self, kind: str, what: str) -> None:
        """Note what happened and start behind it. Raises RuntimeError where not even the first input was reached."""
        self.stop()
        if self.number is None:
            raise RuntimeError(f"the parsing process does not start: {what}")
        self.run.inputs += 1
        self.run.found(kind, self.number, what)
        self.number, self.since, self.heard = None, time.monotonic(), b""
        self.process = self._start()

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.out.close()


def fuzz(run: Run, *, first: int, jobs: int, seconds: float, inputs: int | None) -> None:
    """Let that many children parse for that long, or until that many inputs are done."""
    children = [Child(run, first + one, jobs) for one in range(jobs)]
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end and (inputs is None or run.inputs < inputs):
            _turn(children)
    finally:
        for child in children:
            child.stop()


def _turn(children: list[Child]) -> None:
    with selectors.DefaultSelector() as ready:
        for child in children:
            ready.register(child.out, selectors.EVENT_READ, child)
        heard = [key.data for key, _ in ready.select(timeout=0.5)]
    for child in children:
        if child in heard and not child.hear():
            child.again("crash", f"the process ended with {child.process.wait()}")
        elif child not in heard and child.late():
            child.again("hang", f"more than {child.run.limit_s:g} s")


def main(argv: list[str]) -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="bench fuzz")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--inputs", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=20.0, help="seconds of wall time for one input")
    parser.add_argument("--save", type=Path, default=Path("fuzz-finds"))
    options = parser.parse_args(argv)
    run = Run(seed=options.seed, limit_s=options.limit, folder=options.save)
    print(f"seed {run.seed}", flush=True)
    fuzz(run, first=options.first, jobs=options.jobs, seconds=options.seconds, inputs=options.inputs)
    told = {"inputs": run.inputs, "crashes": run.crashes, "hangs": run.hangs, "seed": run.seed}
    for what, count in run.finds.most_common():
        print(f"{count} times: {what}")
    print(json.dumps(told | {"first": options.first, "slowest_s": round(run.slowest_s, 2)}))
    return 1 if run.crashes or run.hangs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
