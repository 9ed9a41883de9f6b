"""Threads that everything in a process shares."""

import os
import threading
from concurrent.futures import wait

import pytest

from toapis_async.storage.thread_pool import ThreadPool, ThreadShare


@pytest.fixture
def pool():
    return ThreadPool("test", 3)


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("test_")]


def test_many_shares_need_no_more_threads_than_the_pool_has(pool):
    """A hundred users have three threads together, and none when the last of them has left."""
    shares = [ThreadShare(pool) for _ in range(100)]
    wait([share.submit(threading.Event().wait, 0.001) for share in shares])
    assert len(threads()) == 3
    for share in shares[1:]:
        share.shutdown()
    assert threads()
    shares[0].shutdown()
    assert not threads()


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_share_does_so_many_jobs_at_once_in_order(pool, at_once):
    """Whatever the number of threads, a job waits for its turn."""
    share, gate, begun = ThreadShare(pool, at_once), threading.Event(), []

    def job(number):
        begun.append(number)
        assert gate.wait(10)

    jobs = [share.submit(job, number) for number in range(20)]
    while len(begun) < at_once:
        pass
    assert begun == list(range(at_once))
    gate.set()
    wait(jobs)
    share.shutdown()
    assert sorted(begun) == list(range(20))
    assert at_once > 1 or begun == sorted(begun)


def test_a_busy_share_keeps_no_other_waiting():
    """Between two jobs of one share comes the turn of the others."""
    pool, order, gate = ThreadPool("test", 1), [], threading.Event()
    busy, other = ThreadShare(pool), ThreadShare(pool)
    jobs = [busy.submit(gate.wait, 10), *(busy.submit(order.append, "busy") for _ in range(3))]
    jobs.append(other.submit(order.append, "other"))
    gate.set()
    wait(jobs)
    busy.shutdown()
    other.shutdown()
    assert order == ["busy", "other", "busy", "busy"] or order == ["other", "busy", "busy", "busy"]


def test_a_job_that_was_cancelled_in_line_never_begins(pool):
    """What fails belongs to whoever waits, and what was cancelled is passed over."""
    share, gate, begun = ThreadShare(pool), threading.Event(), []
    first, dropped, broken = share.submit(gate.wait, 10), share.submit(begun.append, 1), share.submit([].pop)
    assert dropped.cancel()
    gate.set()
    assert first.result()
    with pytest.raises(IndexError):
        broken.result()
    share.shutdown()
    assert begun == []


def test_a_share_that_was_shut_down_can_begin_again(pool):
    """Shutting down waits for what is being done, and gives the threads back each time."""
    share = ThreadShare(pool)
    for _ in range(2):
        done = share.submit(threading.Event().wait, 0.01)
        share.shutdown()
        assert done.done()
        assert not threads()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own(pool):
    """A child has none of its parent's threads, and ends none of them with what it inherited."""
    inherited = ThreadShare(pool)
    inherited.submit(int).result()
    if not (child := os.fork()):
        works = ThreadShare(pool).submit(int).result(5) == 0
        inherited.shutdown()
        os._exit(0 if works else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert threads()
    inherited.shutdown()
