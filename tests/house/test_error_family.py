"""The error family: one tree, as drawn; picklable; and no secret in any of it."""

import asyncio
import copy
import inspect
import logging
import pickle
import traceback

import aiohttp
import pytest

from toapis_async import AsyncToAPIs, ImageRequest, ToAPIsError, errors
from toapis_async.errors import Delivery
from toapis_async.testing import Fault, Reply
from toapis_async.values.tasks import GenerationTask, TaskStatus

KEY = "sk-marker-5f1c9e7d3b"
TASK = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.FAILED)
ARGUMENTS = {
    "http_status": 418,
    "code": "teapot",
    "request_id": "req-1",
    "task_id": "tsk_9",
    "retry_after_seconds": 1.5,
    "violations": ("size is wrong",),
    "delivery": Delivery.UNKNOWN,
    "excerpt": "<html>",
    "client_business_id": "ours-1",
    "task": TASK,
    "url": "https://files.example/a.png",
    "path": "out/.toapis",
    "files": (),
    "missing": {},
    "hint": "Do something.",
}


def family():
    return [
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, BaseException) and thing.__module__ == errors.__name__
    ]


def drawn():
    """Name and parent of each class, read from the drawing in the module's docstring."""
    tree, line_of_parents = {}, []
    for line in errors.__doc__.split("\n\n")[1].splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 4, line.split()[0]
        del line_of_parents[depth:]
        tree[name] = line_of_parents[-1] if line_of_parents else "Exception"
        line_of_parents.append(name)
    return tree


def made(kind):
    wanted = inspect.signature(kind).parameters
    return kind("What happened.", **{name: value for name, value in ARGUMENTS.items() if name in wanted})


def test_the_tree_is_the_one_drawn():
    """The docstring draws each class once, under its parent."""
    assert drawn() == {kind.__name__: kind.__base__.__name__ for kind in family()}


def test_there_is_one_root():
    """Every class is in the family, has one parent and a name that ends in Error."""
    for kind in family():
        assert issubclass(kind, ToAPIsError)
        assert len(kind.__bases__) == 1
        assert kind.__name__.endswith("Error")
        assert kind.__doc__


def test_no_error_lives_elsewhere():
    """No module that can be imported by users defines an error outside the family."""
    import pkgutil
    from importlib import import_module

    import toapis_async

    strangers = set()
    for module in pkgutil.walk_packages(toapis_async.__path__, "toapis_async."):
        if "__main__" in module.name or module.name.startswith("toapis_async.cli."):
            continue
        for thing in vars(import_module(module.name)).values():
            is_error = isinstance(thing, type) and issubclass(thing, BaseException)
            if is_error and thing.__module__ == module.name and not issubclass(thing, ToAPIsError):
                strangers.add(f"{module.name}.{thing.__name__}")
    assert strangers == set()


@pytest.mark.parametrize("kind", family(), ids=lambda kind: kind.__name__)
def test_every_error_survives_pickling(kind):
    """Every attribute, the text and the class come through a pickle and a copy."""
    error = made(kind)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(error) is type(again)
        assert error.__dict__ == again.__dict__
        assert (error.args, str(error)) == (again.args, str(again))


@pytest.mark.parametrize("kind", family(), ids=lambda kind: kind.__name__)
def test_the_hint_ends_the_text(kind):
    """The text says what happened and ends with what to do next."""
    assert str(made(kind)) == "What happened.\nDo something."


def everything_shown(error):
    """What a log, a traceback and a debugger would show of an error."""
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    seen = [repr(error), str(error), text, repr(vars(error))]
    while error := error.__cause__ or error.__context__:
        seen += [repr(error), str(error), repr(getattr(error, "__dict__", ""))]
    return "\n".join(seen)


FAULTS = {
    "refused": Reply(http_status=401, body=f'{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}'),
    "page": Reply(http_status=502, body=f"<html><title>Bearer {KEY}</title></html>", content_type="text/html"),
    "bad request": Reply(http_status=400, body=f'{{"error": {{"message": "unknown token {KEY}", "code": "{KEY}"}}}}'),
    "forbidden": Reply(http_status=403, body=f"Authorization: Bearer {KEY}", content_type="text/plain"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_gateway_that_repeats_the_key_is_not_repeated(live, caplog, name):
    """Even when a refusal quotes the key, no error, traceback or log shows it."""
    where = [Fault(where=place, what=FAULTS[name]) for place in ("submit", "query", "balance", "models")]
    shown = []
    with caplog.at_level(logging.DEBUG):
        async with live(faults=where, client={"api_key": KEY, "max_retries": 0}) as (_, client):
            for call in (
                lambda: client.images.retrieve("tsk_1"),
                lambda: client.images.submit(ImageRequest("a fox")),
                client.account.balance,
                client.models.list,
            ):
                try:
                    async with asyncio.timeout(0.5):
                        await call()
                except (ToAPIsError, TimeoutError) as error:
                    shown.append(everything_shown(error))
    assert shown
    assert KEY not in "".join(shown) + caplog.text


async def test_no_repr_shows_the_key(tmp_path):
    """Neither the client nor anything that hangs on it shows the key."""
    async with AsyncToAPIs(api_key=KEY, base_url="http://127.0.0.1:1") as client:
        session = client.session(tmp_path)
        things = [client, session, client.images, client._settings, client._connections.transport, client._gateway]
        things += [client._connections.files, client._orphans, client._downloader, session._resources.context]
        assert KEY not in "".join(f"{thing!r}{thing!s}" for thing in things)


async def test_broken_connections_do_not_show_the_key(unused_tcp_port):
    """What aiohttp raises is told without headers."""
    async with AsyncToAPIs(api_key=KEY, base_url=f"http://127.0.0.1:{unused_tcp_port}", max_retries=0) as client:
        with pytest.raises(ToAPIsError) as caught:
            await client.account.balance()
    assert KEY not in everything_shown(caught.value)
    assert isinstance(caught.value.__cause__, aiohttp.ClientError)
