"""What a worker loads before its pool forks."""

import gc

from tasks.extract import forest, language
from tasks.worker import load_models


def test_a_worker_has_its_models_before_it_has_processes() -> None:
    for loaded in (forest.model, language._identifier):
        loaded.cache_clear()
    try:
        load_models()
        assert forest.model.cache_info().currsize == 1
        assert language._identifier.cache_info().currsize == 1
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
