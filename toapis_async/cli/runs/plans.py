"""A run from a prompt file: checked as a whole, then sent; or only checked (``--dry-run``)."""

import asyncio
from itertools import islice
from pathlib import Path

import attrs

from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.amounts import count_text
from toapis_async.cli.formatting.json_forms import usd_number
from toapis_async.cli.runs.engine import Engine
from toapis_async.cli.runs.expectation import Expectation
from toapis_async.cli.runs.invocation import NOTE, Memory, recalled
from toapis_async.cli.runs.next_steps import Invocation
from toapis_async.cli.runs.output_place import doubtful_room, probe
from toapis_async.cli.runs.scanning import Caps, Scan, requests_of, scan
from toapis_async.cli.runs.summary import estimate_text, resume_command
from toapis_async.cli.settings import RunOptions
from toapis_async.cli.stopping import Stopper
from toapis_async.cli.terminal.streams import Terminal, one_line
from toapis_async.errors import ConfigurationError
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.storage.inputs.prompt_source import PromptSource, settle
from toapis_async.storage.journal.sqlite_journal import journal_path
from toapis_async.storage.manifest.manifest import read_manifest
from toapis_async.storage.manifest.unfinished_runs import read_unfinished
from toapis_async.values.requests import GenerationRequest
from toapis_async.wire.prompt_fields import LineRules
from toapis_async.wire.table_columns import Columns


@attrs.frozen(kw_only=True)
class RunPlan:
    """What is to be run.

    Attributes:
        directory: where to; that of the journal where the files go elsewhere.
        files_at: where the files go, a directory or a bucket; empty for ``directory``.
        options: how.
        source: the prompts; None goes on without any.
        references_at: where relative references begin.
        columns: which column of the source is which field.
        spooled: whether the source is a copy that is yet to be given its lasting name.
        resubmit_unknown, retry_failed: wishes of this command only.
        again: failed items to make again, in place of a source; None takes the source, or what was begun.
        resume_with: the base URL to name in the command that goes on; None where it is remembered and trusted.
        print_paths: whether paths are results on a terminal too.

    """

    directory: Path
    options: RunOptions
    source: PromptSource | None
    files_at: str = ""
    references_at: str = ""
    columns: Columns = attrs.field(factory=Columns)
    spooled: bool = False
    resubmit_unknown: bool = False
    retry_failed: bool = False
    again: tuple[GenerationRequest, ...] | None = None
    resume_with: str | None = None
    print_paths: bool = False

    @property
    def rules(self) -> LineRules:
        """How lines become requests."""
        options = self.options
        return LineRules(
            catalogue=packaged_catalogue(),
            directory=self.references_at,
            model=options.model,
            size=options.size,
            resolution=options.resolution,
            validation=options.client.validation,
            columns=self.columns,
        )

    @property
    def caps(self) -> Caps:
        """What bounds the run."""
        options = self.options
        return Caps(max_cost_usd=options.max_cost, unlisted_price_usd=options.price, max_images=options.max_images)


async def dry_run(plan: RunPlan, terminal: Terminal) -> int:
    """Check, count and price; send nothing."""
    found = await _scanned(plan, terminal)
    if found is None or plan.source is None:
        return Exit.DONE
    if terminal.as_json:
        terminal.result_json(
            {
                "type": "dry_run",
                "requests": found.requests,
                "outputs": found.outputs,
                "estimated_usd": None if found.unpriced == found.requests else usd_number(found.cost_usd),
                "without_estimate": found.unpriced,
            }
        )
    else:
        price = estimate_text(found.cost_usd, found.unpriced, found.requests)
        price += f"; {found.beyond:,} more would pass --max-images" if found.beyond else ""
        counts = f"{count_text(found.requests, 'request')}, {count_text(found.outputs, 'file')}"
        terminal.result(f"{plan.source.name}: {counts}, {price}.")
    known = await asyncio.to_thread(_known_by_manifest_only, plan.directory)
    if known:
        terminal.warn(
            f"{plan.directory} has no journal, and its manifest lists {count_text(known, 'item')}. Those that the "
            "prompts name are taken over from it and not sent, or charged, again."
        )
    if await asyncio.to_thread(_has_lost_runs, plan.directory):
        terminal.warn(
            f"{plan.directory} has no journal, and a run of it was not finished. What it may have in flight is asked "
            "for before anything is sent anew; what cannot be found out is not sent (--resubmit-unknown sends it)."
        )
    terminal.say("Nothing was sent.")
    return Exit.DONE


def _has_lost_runs(directory: Path) -> bool:
    return not journal_path(directory).is_file() and bool(read_unfinished(directory))


def _known_by_manifest_only(directory: Path) -> int:
    """Count what a run would take over from the manifest of a directory whose journal is gone."""
    return 0 if journal_path(directory).is_file() else sum(1 for _ in read_manifest(directory))


async def perform(plan: RunPlan, terminal: Terminal, stopper: Stopper) -> int:
    """Check everything, then run it to its end and return the exit code."""
    options = plan.options
    # The client comes first: without a key there is nothing to read the file for. Its warnings would come once per
    # request, and the scan has given them already.
    quietly = plan.source is not None and options.client.validation == "warn"
    client_options = attrs.evolve(options.client, validation="off") if quietly else options.client
    async with client_options.client() as client:
        await refuse_a_demo(plan.directory)
        try:
            found = await _scanned(plan, terminal)
            await asyncio.to_thread(probe, plan.directory)
            if found is not None and (doubt := doubtful_room(plan.directory, found.outputs)):
                terminal.warn(f"Warning: {doubt}")
        except asyncio.CancelledError:
            terminal.warn("Stopped. Nothing was sent.")
            raise
        engine = _engine(plan, found, terminal, stopper)
        async with client.session(
            plan.files_at or plan.directory,
            journal=plan.directory if plan.files_at else True,
            max_concurrency=options.max_concurrency,
            download_workers=options.download_workers,
            patience_seconds=options.patience,
            max_cost_usd=options.max_cost,
            unlisted_price_usd=options.price,
            on_unknown="resubmit" if plan.resubmit_unknown else "report",
            retry_failed=plan.retry_failed,
            name=options.name,
            embed_metadata=options.embed_metadata,
            on_event=engine.watch.hear,
        ) as session:
            if plan.source is not None:
                plan = _settled(plan)
                await session.remember(NOTE, _memory(plan, client.base_url).to_text())
            if plan.again is not None:
                return await engine.run(session, plan.again)
            if plan.source is None or found is None:
                return await engine.run(session, None)
            return await engine.run(session, islice(requests_of(plan.source, plan.rules), found.requests))


def _engine(plan: RunPlan, found: Scan | None, terminal: Terminal, stopper: Stopper) -> Engine:
    expectation = Expectation(total=None if plan.again is None else len(plan.again))
    if found is not None:
        expectation = Expectation(
            total=found.requests, cost_usd=found.cost_usd, beyond=found.beyond, max_images=plan.options.max_images
        )
    directory = str(plan.directory)
    return Engine(
        terminal=terminal,
        stopper=stopper,
        invocation=Invocation(directory=directory, resume=resume_command(directory, base_url=plan.resume_with)),
        expectation=expectation,
        print_paths=plan.print_paths,
    )


async def refuse_a_demo(directory: Path) -> None:
    """Keep made-up tasks, and what was learned of them, out of real runs.

    Raises:
        ConfigurationError: the directory holds a demo.

    """
    if not journal_path(directory).is_file():
        return
    memory = await recalled(directory)
    if memory is not None and memory.demo:
        raise ConfigurationError(
            f"{directory} holds a demo, and its gateway is gone.",
            hint="Choose another directory for a real run; for the demo again: toapis demo -o DIR",
        )


async def _scanned(plan: RunPlan, terminal: Terminal) -> Scan | None:
    if plan.source is None:
        return None
    name = plan.source.name

    def tell(count: int) -> None:
        terminal.say(f"{name}: {count:,} lines checked")

    found = await scan(plan.source, plan.rules, caps=plan.caps, tell=tell)
    if found.left:
        left = ", ".join(one_line(column, 60) for column in found.left)
        terminal.warn(f"{name}: not used: {left}; to keep them in the manifest: --context all")
    for doubt in found.doubts:
        terminal.warn(f"Warning: {doubt}")
    return found


def _settled(plan: RunPlan) -> RunPlan:
    if not plan.spooled or plan.source is None:
        return plan
    return attrs.evolve(plan, source=attrs.evolve(plan.source, path=settle(plan.source.path)), spooled=False)


def _memory(plan: RunPlan, base_url: str) -> Memory:
    source = plan.source
    if source is None:
        return Memory(base_url=base_url, options=plan.options, files_at=plan.files_at)
    return Memory(
        input=str(source.path.absolute()),
        form=source.form,
        name=source.name,
        references_at=plan.references_at,
        columns=plan.columns,
        base_url=base_url,
        options=plan.options,
        files_at=plan.files_at,
    )
