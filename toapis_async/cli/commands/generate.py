"""``toapis generate``."""

import asyncio
import shlex
from decimal import Decimal
from pathlib import Path
from typing import Unpack

import anyio
import attrs
import click

from toapis_async.async_client import AsyncToAPIs
from toapis_async.batch.bookkeeping.budget import expected_cost
from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.amounts import duration_text, usd
from toapis_async.cli.formatting.json_forms import file_form, task_form, usd_number
from toapis_async.cli.options import (
    base_url_option,
    embed_option,
    json_option,
    output_option,
    quiet_option,
    read_usd,
    single_task_options,
)
from toapis_async.cli.runs.output_place import probe
from toapis_async.cli.runs.scanning import doubts_of, wrong_references
from toapis_async.cli.runs.single_records import record_of
from toapis_async.cli.runs.summary import estimate_text
from toapis_async.cli.runs.waiting import wait_and_save
from toapis_async.cli.settings import ClientOptions, PaceGiven, client_options
from toapis_async.cli.stopping import Stopper, run
from toapis_async.cli.terminal.refusing import refuse
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.client.generations import Generations
from toapis_async.client.orphans import AbandonedSubmission
from toapis_async.clock import SystemClock
from toapis_async.errors import (
    InvalidRequestError,
    StorageError,
    TaskFailedError,
    ToAPIsError,
)
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.storage.manifest.single_lines import add_line
from toapis_async.values.files import SavedFile
from toapis_async.values.kinds import kind_of
from toapis_async.values.requests import GenerationRequest, missing_files
from toapis_async.values.tasks import GenerationTask
from toapis_async.wire.manifest import manifest_line
from toapis_async.wire.prompt_fields import LineRules, request_of

_FIELDS = ("model", "size", "resolution", "n", "duration", "seed")


class GenerateGiven(PaceGiven):
    """What click parsed."""

    model: str | None
    size: str | None
    resolution: str | None
    reference_images: tuple[str, ...]
    n: int | None
    duration: float | None
    seed: int | None
    max_cost: Decimal | None
    price: Decimal | None
    dry_run: bool
    embed_metadata: bool | None


@click.command(
    short_help="Make one image, or one video.",
    epilog="""\b
Examples:
  toapis generate "a red fox in the snow" --size 16:9 --resolution 2K -o out
  toapis generate "the mug on a beach" --reference mug.png -m gpt-image-2 -o a
  toapis generate "waves at dusk" --model sora-2 --duration 10 -o out""",
)
@click.argument("prompt")
@output_option
@click.option("--model", "-m", metavar="MODEL", help="[gemini-2.5-flash-image-preview]; see toapis models.")
@click.option("--size", metavar="SIZE", help="A ratio such as 16:9, or pixels where the model takes them.")
@click.option("--resolution", metavar="RES", help="1K, 2K, 4K, 720p, … by what the model can do.")
@click.option(
    "--reference",
    "reference_images",
    metavar="PATH|URL",
    multiple=True,
    help="What to take style or subject from; can be given more than once.",
)
@click.option("--n", type=click.IntRange(min=1), help="How many images.")
@click.option("--duration", type=float, metavar="SECONDS", help="Of a video.")
@click.option("--seed", type=int, help="For models that have one.")
@click.option("--max-cost", callback=read_usd, metavar="USD", help="Send nothing if it would cost more.")
@click.option("--price", callback=read_usd, metavar="USD", help="What an image costs whose price is not known.")
@embed_option
@single_task_options
@base_url_option
@click.option("--dry-run", is_flag=True, help="Check and price it; send nothing. Needs no key.")
@json_option
@quiet_option
def generate(prompt: str, directory: str, **given: Unpack[GenerateGiven]) -> int:
    """Make one image, or --n of them, from PROMPT; or a video, with a model that makes videos.

    Prints the files' paths. Each call makes, and charges, something new; for many prompts use toapis batch.
    """
    terminal = Terminal(as_json=given["as_json"], quiet=given["quiet"])
    client = client_options(given)
    rules = LineRules(catalogue=packaged_catalogue(), validation=client.validation)
    request = _request(prompt, given, rules)
    for doubt in doubts_of(request, rules):
        terminal.warn(f"Warning: {doubt}")
    price = _checked_price(request, given["max_cost"], given["price"])
    if given["dry_run"]:
        return _tell_price(price, terminal)
    wish = _Wish(
        request=request,
        directory=directory,
        client=client,
        patience=given["patience"],
        embed_metadata=bool(given["embed_metadata"]),
    )
    return run(lambda stopper: wish.grant(terminal, stopper), uvloop=given["uvloop"])


def _request(prompt: str, given: GenerateGiven, rules: LineRules) -> GenerationRequest:
    fields: dict[str, object] = {name: given.get(name) for name in _FIELDS}
    fields |= {"prompt": prompt, "reference_images": list(given["reference_images"]) or None}
    made = request_of(fields, rules)
    wrong = made if isinstance(made, tuple) else tuple(wrong_references(made))
    if isinstance(made, tuple) or wrong:
        raise InvalidRequestError.refused(wrong)
    return made


def _checked_price(request: GenerationRequest, max_cost: Decimal | None, unlisted: Decimal | None) -> Decimal | None:
    price = expected_cost(request, packaged_catalogue(), unlisted)
    if max_cost is None:
        return price
    if price is None:
        raise InvalidRequestError(
            f"No price is known for model {request.model!r}, so --max-cost cannot be kept.",
            hint="Say what an image costs (--price USD), or leave --max-cost out.",
        )
    if price > max_cost:
        # Nothing was begun that could be resumed, which is what the error of a run says.
        raise InvalidRequestError(
            f"It would cost about {usd(price)} USD, more than --max-cost {max_cost}. Nothing was sent.",
            hint="Raise --max-cost, or choose another model or resolution (toapis models).",
        )
    return price


def _tell_price(price: Decimal | None, terminal: Terminal) -> int:
    if terminal.as_json:
        form = {"type": "dry_run", "requests": 1, "estimated_usd": usd_number(price)}
        terminal.result_json({**form, "without_estimate": int(price is None)})
    else:
        terminal.result(f"1 request, {estimate_text(price or 0, int(price is None), 1)}.")
    terminal.say("Nothing was sent.")
    return Exit.DONE


@attrs.frozen(kw_only=True)
class _Wish:
    request: GenerationRequest
    directory: str
    client: ClientOptions
    patience: float | None
    embed_metadata: bool = False

    async def grant(self, terminal: Terminal, stopper: Stopper) -> int:
        """Submit, wait, save."""
        clock = SystemClock()
        began, started = clock.now(), clock.monotonic()

        def left_behind(submission: AbandonedSubmission) -> None:
            if submission.request is None:
                return  # a wait that was cut short, of which is told below
            name = submission.task.id if submission.task else submission.client_business_id
            if name:
                terminal.warn(f"It may be made, and charged, all the same. To fetch it: {self._fetch_command(name)}")

        async with self.client.client(on_abandoned=left_behind) as client:
            await asyncio.to_thread(probe, Path(self.directory))
            tasks, task = await self._submitted(client)
            terminal.say(f"Accepted as task {task.id}.")
            try:
                embedded = self.request if self.embed_metadata else None
                task, files = await wait_and_save(tasks, task, self.directory, self.patience, terminal, embedded)
            except asyncio.CancelledError:
                await self._note(task, began, terminal)
                terminal.warn(f"The task goes on and is paid for. To fetch it: {self._fetch_command(task.id)}")
                raise
            except ToAPIsError as error:
                await self._note(task, began, terminal, error=error)
                return refuse(self._with_a_way_on(error, task.id), as_json=terminal.as_json, task_id=task.id)
            await self._note(task, began, terminal, files=files)
        self._tell(task, files, terminal)
        terminal.say(f"{_saved_text(task, files)} · {duration_text(SystemClock().monotonic() - started)}")
        missing = missing_files(self.request, len(files))
        if missing:
            terminal.warn(f"{missing:,} of {len(files) + missing:,} files did not come; the gateway gave no more.")
        return Exit.SOME_FAILED if missing else Exit.DONE

    async def _note(
        self,
        task: GenerationTask,
        began: float,
        terminal: Terminal,
        *,
        files: tuple[SavedFile, ...] = (),
        error: ToAPIsError | None = None,
    ) -> None:
        """Leave a line in the manifest, as a run does; what keeps it from being written spoils no result."""
        if isinstance(error, TaskFailedError):
            task = error.task
        record = record_of(
            self.request, task, files=files, error=error, submitted_at=began, ended_at=SystemClock().now()
        )
        line = manifest_line(record, directory=Path(self.directory))
        with anyio.CancelScope(shield=True):
            try:
                await asyncio.to_thread(add_line, Path(self.directory), line)
            except StorageError as refused:
                terminal.warn(f"Warning: manifest.jsonl lacks task {task.id}: {refused.message}")

    def _tell(self, task: GenerationTask, files: tuple[SavedFile, ...], terminal: Terminal) -> None:
        if terminal.as_json:
            terminal.result_json({**task_form(task), "files": [file_form(file) for file in files]}, pretty=True)
        else:
            for file in files:
                terminal.result(file.uri)

    async def _submitted(self, client: AsyncToAPIs) -> tuple[Generations[GenerationRequest], GenerationTask]:
        tasks = client.verbs_of(kind_of(self.request).name)
        return tasks, await tasks.submit(self.request)

    def _fetch_command(self, name: str) -> str:
        words = ["toapis", "status", name, "--wait", "-o", self.directory]
        return shlex.join(words + (["--base-url", self.client.base_url] if self.client.base_url else []))

    def _with_a_way_on(self, error: ToAPIsError, task_id: str) -> ToAPIsError:
        """Name the task and how to fetch it: sending again would charge again."""
        if isinstance(error, TaskFailedError):
            return error
        fetch = f"Task {task_id} is not lost, and sending it again would charge again. To fetch it: "
        fetch += self._fetch_command(task_id)
        if isinstance(error, StorageError):
            error.hint = fetch  # its own speaks of resuming, and this is no run
        else:
            error.hint = f"{error.hint}\n{fetch}" if error.hint else fetch
        return error


def _saved_text(task: GenerationTask, files: tuple[SavedFile, ...]) -> str:
    return f"{len(files)} saved" + ("" if task.cost is None else f" · {usd(task.cost)} USD")
