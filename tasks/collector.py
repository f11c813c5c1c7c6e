"""Python's collector of cycles among objects, which need not run while a page is read."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Keep the collector from running in the block.

    A page becomes tens of thousands of objects that live as long as it is read and hold each other in no cycle: to look
    through them again and again takes a twenty-fifth of the time and frees nothing.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
