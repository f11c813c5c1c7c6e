import multiprocessing
from pathlib import Path

from storage.locks import file_lock, store_lock
from storage.store import Store


def test_only_one_holds_a_named_lock_of_the_store(store: Store) -> None:
    with store_lock(store, "pack") as mine:
        assert mine
        with store_lock(store, "pack") as other:
            assert not other
        with store_lock(store, "prune") as unlike:
            assert unlike
    with store_lock(store, "pack") as again:
        assert again


def hold_and_die(path: Path, told: "multiprocessing.connection.Connection") -> None:
    with file_lock(path) as held:
        told.send(held is not None)
        told.recv()


def test_a_file_lock_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    holder = context.Process(target=hold_and_die, args=(path, theirs))
    holder.start()
    assert ours.poll(30)
    assert ours.recv()
    with file_lock(path) as held:
        assert held is None

    holder.kill()
    holder.join(30)

    with file_lock(path) as held:
        assert held is not None
