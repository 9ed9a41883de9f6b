"""``toapis status``."""

from typing import Unpack

import click

from toapis_async.async_client import AsyncToAPIs
from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.amounts import usd
from toapis_async.cli.formatting.json_forms import file_form, task_form
from toapis_async.cli.options import (
    base_url_option,
    json_option,
    quiet_option,
    waiting_options,
)
from toapis_async.cli.runs.waiting import wait_and_save
from toapis_async.cli.settings import PaceGiven, client_options
from toapis_async.cli.stopping import run
from toapis_async.cli.terminal.streams import Terminal, printable
from toapis_async.client.generations import Generations
from toapis_async.errors import InvalidRequestError, NotFoundError, TaskFailedError, ToAPIsError
from toapis_async.values.files import SavedFile
from toapis_async.values.kinds import KINDS
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask, Kind


class StatusGiven(PaceGiven):
    """What click parsed."""

    wait: bool
    directory: str | None
    kind: Kind | None
    raw: bool


@click.command(
    short_help="Show one task; wait for it, save its files.",
    epilog="""\b
Examples:
  toapis status task_01K8SGYNNNVBQTXNR4MM964S7K
  toapis status task_01K8SGYNNNVBQTXNR4MM964S7K --wait -o out
  toapis status my-own-reference-17 --json""",
)
@click.argument("task_id", metavar="TASK_ID")
@click.option("--wait", is_flag=True, help="Wait until it is finished.")
@click.option("--output", "-o", "directory", metavar="DIR", help="Save its files there; waits for them.")
@click.option("--kind", type=click.Choice(tuple(KINDS)), help="Which endpoint to ask.  [images first, then videos]")
@click.option("--raw", is_flag=True, help="Show the gateway's reply as it came, as JSON.")
@waiting_options
@base_url_option
@json_option
@quiet_option
def status(task_id: str, **given: Unpack[StatusGiven]) -> int:
    """Show one task, by its id or by the client_business_id it was submitted with."""
    terminal = Terminal(as_json=given["as_json"], quiet=given["quiet"])
    options = client_options(given)
    wait = given["wait"] or given["directory"] is not None

    async def work(_: object) -> int:
        async with options.client() as client:
            tasks, task = await _found(client, task_id, given["kind"])
            files: tuple[SavedFile, ...] = ()
            if wait:
                try:
                    task, files = await wait_and_save(tasks, task, given["directory"], given["patience"], terminal)
                except TaskFailedError as failed:
                    task = failed.task
            if given["raw"]:
                terminal.result_json(dict(task.raw), pretty=True)
            else:
                _show(task, files, terminal, saved=given["directory"] is not None)
        return Exit.SOME_FAILED if wait and not task.completed else Exit.DONE

    return run(work, uvloop=given["uvloop"])


async def _found(
    client: AsyncToAPIs, task_id: str, kind: Kind | None
) -> tuple[Generations[GenerationRequest], GenerationTask]:
    missing: list[ToAPIsError] = []
    for one in KINDS if kind is None else (kind,):
        try:
            return client.verbs_of(one), await client.verbs_of(one).retrieve(task_id)
        except (NotFoundError, InvalidRequestError) as error:
            missing.append(error)
    raise missing[0]


def _show(task: GenerationTask, files: tuple[SavedFile, ...], terminal: Terminal, *, saved: bool) -> None:
    form = task_form(task)
    if terminal.as_json:
        terminal.result_json(form | ({"files": [file_form(file) for file in files]} if saved else {}), pretty=True)
        return
    form["status"] = f"{task.status.value} ({task.status_text!r})" if task.status == "unrecognised" else task.status
    form["progress"] = None if task.progress is None else f"{task.progress} %"
    form["cost"] = None if task.cost is None else f"{usd(task.cost)} USD"
    form["error"] = None if task.error is None else f"{task.error.code or 'no code'}: {task.error.message}"
    urls, hint = form.pop("urls"), form.pop("hint")
    for name, value in form.items():
        if value is not None:
            terminal.result(f"{name:<13}{printable(str(value))}")
    for url in urls if isinstance(urls, list) and not files else ():
        terminal.result(f"{'url':<13}{printable(url)}")
    for file in files:
        terminal.result(f"{'file':<13}{file.uri}")
    if hint:
        terminal.result(f"{'next':<13}{printable(str(hint))}")
