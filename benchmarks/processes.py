"""What processes and all that they started have cost so far, by what the kernel says (proc(5))."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(root: int) -> list[int]:
    """A process and all its living descendants."""
    found = [root]
    for process in found:
        found += children(process)
    return found


def children(process: int) -> list[int]:
    """The living children of a process."""
    threads = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for file in threads for child in _text(file).split()]


def cpu_s(root: int) -> float:
    """Processor seconds of a process and its descendants, of those that ended too once somebody waited for them."""
    return sum(_cpu(process) for process in tree(root))


def rss_mb(processes: Iterable[int]) -> float:
    """Resident memory of processes, in MB; pages that several share count in each."""
    pages = [_text(Path(f"/proc/{process}/statm")).split() for process in processes]
    return sum(int(fields[1]) for fields in pages if fields) * _PAGE / 1e6


def command(process: int) -> str:
    """Its command line; empty if it has ended."""
    return _text(Path(f"/proc/{process}/cmdline")).replace("\0", " ").strip()


def _cpu(process: int) -> float:
    fields = _text(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return sum(int(part) for part in fields[11:15]) / _TICKS if fields else 0.0


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has ended meanwhile
