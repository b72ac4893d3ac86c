"""The lag in time: it grows while a batch is in hand, and is nothing when all is handled."""

from servicekit.dead_letters import Record
from servicekit.progress import Progress


def a_record(offset: int = 0, sent_at: float = 100.0) -> Record:
    return Record("key.ready", 0, offset, b"", b"", {}, sent_at)


def test_nothing_read_yet_is_no_lag() -> None:
    assert Progress("key.ready", lambda: 160.0).lag_s(0) == 0


def test_oldest_record_in_hand_is_the_lag_while_its_batch_fails() -> None:
    progress = Progress("key.ready", lambda: 160.0)

    progress.begins([a_record(0, 110.0), a_record(1, 100.0)])

    assert progress.lag_s(0) == 60


def test_committed_batch_ends_the_lag() -> None:
    progress = Progress("key.ready", lambda: 160.0)
    progress.begins([a_record()])

    progress.ends([a_record()])

    assert progress.lag_s(0) == 0


def test_between_batches_the_last_handled_record_tells_the_lag() -> None:
    progress = Progress("key.ready", lambda: 160.0)
    progress.begins([a_record()])

    progress.ends([a_record()])

    assert progress.lag_s(7) == 60
