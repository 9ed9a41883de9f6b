"""Threads for the disk that everything in a process shares: two hundred sessions need no more of them than ten do."""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from threading import Condition, Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool:
    """Threads that come as they are needed, and go with the last who uses them.

    Args:
        name: of the threads, for debuggers.
        most: how many there are at most.

    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)  # a child has none of its parent's threads

    def _forget(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._executor: ThreadPoolExecutor | None = None

    def enter(self) -> ThreadPoolExecutor:
        """Count a user in; ``leave()`` has to follow."""
        with self._lock:
            self._users += 1
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._most, thread_name_prefix=self._name)
            return self._executor

    def leave(self, executor: ThreadPoolExecutor) -> None:
        """Count a user out; the last one waits until the threads have ended."""
        with self._lock:
            if executor is not self._executor:
                return  # inherited by a fork
            self._users -= 1
            if self._users:
                return
            self._executor = None
        executor.shutdown(wait=True)


# Apart, so that a journal's few milliseconds never wait behind large files. Each bounds what a dead disk can take.
JOURNALS: ThreadPool = ThreadPool("toapis-journal", 8)
FILES: ThreadPool = ThreadPool("toapis-disk", 16)


class ThreadShare(Executor):
    """So many jobs at once, begun in the order in which they come, by whichever thread of a pool is free.

    It uses the pool from its first job to ``shutdown()``, and after that from its next one.

    Args:
        pool: whose threads.
        at_once: with one, a job never begins before the one ahead of it has ended.

    """

    def __init__(self, pool: ThreadPool, at_once: int = 1) -> None:
        self._pool = pool
        self._at_once = at_once
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = 0
        self._changed = Condition()
        self._executor: ThreadPoolExecutor | None = None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a job done; see ``concurrent.futures.Executor``."""
        future: Future[T] = Future()
        job = partial(_do, future, partial(fn, *args, **kwargs))
        with self._changed:
            if self._running == self._at_once:
                self._waiting.append(job)
                return future
            self._running += 1
            executor = self._executor = self._executor or self._pool.enter()
        executor.submit(self._work, executor, job)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # Executor's
        """Wait until every job is done, whatever is asked for, and leave the pool. Nobody may submit meanwhile."""
        del wait, cancel_futures
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
            executor, self._executor = self._executor, None
        if executor is not None:
            self._pool.leave(executor)

    def _work(self, executor: ThreadPoolExecutor, job: Callable[[], None]) -> None:
        job()
        with self._changed:
            if not self._waiting:
                self._running -= 1
                self._changed.notify_all()
                return
            job = self._waiting.popleft()
        try:
            # To the end of the line: other shares have their turn before this one's next job.
            executor.submit(self._work, executor, job)
        except RuntimeError:  # the interpreter is ending, and starts nothing more
            self._work(executor, job)


def _do(future: "Future[T]", job: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits
        future.set_exception(error)
        del future  # its traceback holds this frame
    else:
        future.set_result(result)
