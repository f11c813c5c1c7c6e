"""The process that parses: says the number of each input before it begins, and what a parser raised that it must not.

python -m benchmarks.fuzz.child SEED FIRST STEP
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import traceback
import warnings

from benchmarks.fuzz.mutate import make
from benchmarks.fuzz.targets import target

_MEMORY = 3 * 1024**3
"""Bytes of address space: a parser that wants more ends with a MemoryError, which counts as a crash."""


def main(argv: list[str]) -> None:
    """Parse until told to stop by a signal."""
    seed, number, step = map(int, argv)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    logging.disable()
    warnings.simplefilter("ignore")
    out = sys.stdout
    while True:
        one = make(seed, number)
        parser = target(one)
        out.write(f"{number}\n")
        out.flush()
        try:
            parser(one)
        except Exception as error:  # noqa: BLE001 - whatever a parser lets out is a find
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {str(error)[:200]}"
            out.write(
                json.dumps({"parser": parser.__name__, "error": what, "at": f"{last.filename}:{last.lineno}"}) + "\n"
            )
        number += step


if __name__ == "__main__":
    main(sys.argv[1:])
