"""`python -m benchmarks.cases --data DIR`: one line for each failing check, last `{"passed": n, "failed": n}`."""

import argparse
import asyncio
import importlib
import json
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

from scrapy.utils.reactor import install_reactor

from benchmarks.cases.load import Case, load_cases


async def run(cases: list[Case]) -> AsyncIterator[tuple[Case, list[str]]]:
    """Each case with its failed checks, one after the other."""
    from benchmarks.cases.judge import judge  # noqa: PLC0415 - after the reactor is installed
    from benchmarks.cases.perform import perform  # noqa: PLC0415

    for case in cases:
        started = time.monotonic()
        failed = list(judge(case, await perform(case)))
        took = time.monotonic() - started
        if took > case.expected.get("max_seconds", 60):
            failed.append(f"max_seconds: {took:.1f} s")
        if _peak_mb() > case.expected.get("max_memory_mb", 1e9):
            failed.append(f"max_memory_mb: {_peak_mb():.0f} MB")
        yield case, failed


def _peak_mb() -> float:
    """The most memory this process ever held (proc(5): VmHWM; getrusage counts what its parent held at the fork)."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def _main(cases: list[Case], as_json: bool) -> int:
    passed = 0
    async for case, failed in run(cases):
        passed += not failed
        if as_json:
            print(json.dumps({"case": case.name, "failed": failed}), flush=True)
        else:
            for check in failed:
                print(f"{case.name}: {check}", flush=True)
    print(json.dumps({"passed": passed, "failed": len(cases) - passed}))
    return 0 if passed == len(cases) else 1


def main() -> int:
    """Run the cases that are asked for."""
    parser = argparse.ArgumentParser(prog="cases", description="Run a folder of recorded cases.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of cases")
    parser.add_argument("--only", nargs="+", default=[""], help="only cases whose name holds one of these")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each case")
    asked = parser.parse_args()
    cases = [case for case in load_cases(asked.data) if any(part in case.name for part in asked.only)]
    if not cases:
        print(f"cases: {asked.data} holds no case", file=sys.stderr)
        return 2
    # those that bound memory go first: what the others leave behind is not theirs
    cases.sort(key=lambda case: (case.expected.get("max_memory_mb", 1e9), case.name))
    return _under_reactor(_main(cases, asked.json))


def _under_reactor(work: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine to its end on Twisted's reactor, on which one crawl after the other may then run."""
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    reactor: Any = importlib.import_module("twisted.internet.reactor")
    task = asyncio.get_event_loop().create_task(work)
    task.add_done_callback(lambda _task: reactor.stop())
    reactor.run()
    return task.result()


if __name__ == "__main__":
    sys.exit(main())
