"""The journal's lock: exclusive, fair enough, and not held by the dead."""

import os
import time
from multiprocessing import get_context
from pathlib import Path

from optuna.storages.journal import JournalFileSymlinkLock

from drugai.tuning.journal import JournalLock


def _add(path, times):
    lock = JournalLock(path)
    for _ in range(times):
        lock.acquire()
        number = int(Path(path).read_text())
        Path(path).write_text(str(number + 1))
        lock.release()


def test_no_update_is_lost_between_processes(tmp_path):
    path = str(tmp_path / "n")
    Path(path).write_text("0")
    context = get_context("spawn")
    workers = [context.Process(target=_add, args=(path, 50)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Path(path).read_text() == "150"


def test_other_programs_that_open_the_journal_are_kept_out(tmp_path):
    path = str(tmp_path / "n")
    lock = JournalLock(path)
    lock.acquire()
    assert os.path.islink(path + ".lock")  # what Optuna's own lock looks at
    lock.release()
    own = JournalFileSymlinkLock(path)
    own.acquire()
    own.release()


def _die_holding(path):
    JournalLock(path).acquire()
    os._exit(9)


def test_a_dead_holders_lock_is_free_at_once(tmp_path):
    path = str(tmp_path / "n")
    Path(path).write_text("0")
    process = get_context("spawn").Process(target=_die_holding, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert os.path.islink(path + ".lock")
    began = time.monotonic()
    lock = JournalLock(path)
    lock.acquire()
    assert time.monotonic() - began < 20  # Optuna's own would wait for thirty seconds: a deadline, not a measure
    lock.release()
    assert not os.path.islink(path + ".lock")
