"""No page takes a worker for longer than the bound, even where a library swallows what interrupts it."""

import signal
import threading
import time

import pytest

from tasks.patience import TookTooLong, at_most


def work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_what_takes_too_long_is_broken_off() -> None:
    began = time.process_time()
    with pytest.raises(TookTooLong, match=r"0\.2 seconds"), at_most(0.2):
        work(20)
    assert time.process_time() - began < 5


def test_a_library_that_swallows_it_is_interrupted_again() -> None:
    def swallowing() -> None:
        for _ in range(2):
            try:
                work(20)
            except TookTooLong:
                continue
        work(20)

    with pytest.raises(TookTooLong), at_most(0.1):
        swallowing()


def test_waiting_costs_nothing_and_nothing_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with at_most(0.1):
        threading.Event().wait(0.3)
    work(0.2)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_inside_of_another_and_in_a_thread_it_leaves_the_outer_one_alone() -> None:
    with pytest.raises(TookTooLong, match=r"0\.3 seconds"), at_most(0.3), at_most(0.1):
        work(20)
    raised: list[BaseException] = []

    def in_a_thread() -> None:
        try:
            with at_most(0.05):
                work(0.2)
        except TookTooLong as error:
            raised.append(error)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert raised == []
