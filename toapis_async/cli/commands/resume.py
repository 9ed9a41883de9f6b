"""``toapis resume``."""

from pathlib import Path
from typing import Unpack
from urllib.parse import urlsplit

import attrs
import click

from toapis_async.cli.options import (
    base_url_option,
    json_option,
    pace_options,
    quiet_option,
    resume_option_group,
)
from toapis_async.cli.runs.failed_items import failed_for
from toapis_async.cli.runs.invocation import Memory, recalled
from toapis_async.cli.runs.plans import RunPlan, perform, refuse_a_demo
from toapis_async.cli.settings import RunGiven, run_options
from toapis_async.cli.stopping import Stopper, run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.client.settings import (
    DEFAULT_BASE_URL,
    DEFAULT_MAX_RETRIES,
    DEFAULT_TIMEOUT_SECONDS,
    Settings,
    checked_base_url,
    is_loopback,
)
from toapis_async.errors import ConfigurationError
from toapis_async.storage.inputs.prompt_source import PromptSource, is_seekable_file
from toapis_async.storage.journal.sqlite_journal import journal_path


@click.command(
    short_help="Finish what a stopped run left.",
    epilog="""\b
Examples:
  toapis resume out
  toapis resume out --retry-failed
  toapis resume out --reason content-policy""",
)
@click.argument("directory", metavar="DIR")
@resume_option_group
@click.option(
    "--reason",
    metavar="REASON",
    help="Make again only what failed for this reason, as toapis report names it, and send nothing else.",
)
@pace_options
@base_url_option
@json_option
@quiet_option
def resume(directory: str, reason: str | None, **given: Unpack[RunGiven]) -> int:
    """Finish what a stopped run left in DIR.

    It starts as the run was started, with the same prompts and options, except for the options given here. What was
    saved is skipped, what was paid for is fetched, what was not sent is sent.
    """
    terminal = Terminal(as_json=given["as_json"], quiet=given["quiet"])

    async def work(stopper: Stopper) -> int:
        _refuse_what_holds_no_run(Path(directory))
        await refuse_a_demo(Path(directory))
        memory = await recalled(Path(directory))
        plan = _plan(Path(directory), memory, given, terminal, only_failed=reason is not None)
        if reason is not None:
            plan = attrs.evolve(plan, again=await failed_for(Path(directory), reason))
        return await perform(plan, terminal, stopper)

    return run(work, uvloop=given["uvloop"])


def _refuse_what_holds_no_run(directory: Path) -> None:
    journal = journal_path(directory)
    if journal.is_file():
        return
    raise ConfigurationError(
        f"There is no journal at {journal}."
        if directory.is_dir()
        else f"There is no directory {directory}, so no journal either.",
        hint="Give the output directory of a run that kept one; to begin a run: toapis batch PROMPTS -o DIR",
    )


def _plan(directory: Path, memory: Memory | None, given: RunGiven, terminal: Terminal, *, only_failed: bool) -> RunPlan:
    memory = memory or Memory()
    options = run_options(given, memory.options)
    if options.client.base_url is None and memory.base_url:
        trusted = _trusted_base_url(memory.base_url)
        options = attrs.evolve(options, client=attrs.evolve(options.client, base_url=trusted))
    source = None if only_failed else _source(memory, terminal)
    return RunPlan(
        directory=directory,
        options=options,
        source=source,
        files_at=memory.files_at,
        references_at=memory.references_at,
        columns=memory.columns,
        resubmit_unknown=given["resubmit_unknown"],
        retry_failed=given["retry_failed"] or only_failed,
        resume_with=given["base_url"],
        print_paths=given["print_paths"],
    )


def _source(memory: Memory, terminal: Terminal) -> PromptSource | None:
    if memory.input is not None and is_seekable_file(Path(memory.input)):
        return PromptSource(
            path=Path(memory.input), form=memory.form, name=memory.name, comments=memory.options.comments
        )
    if memory.input is None:
        terminal.say("This run was not started from a prompt file: finishing what it began.")
    else:
        terminal.warn(
            f"The prompt file {memory.input} is not there any more: finishing only what was begun. To send the rest, "
            "run toapis batch with the file's new place and the same directory."
        )
    return None


def _trusted_base_url(remembered: str) -> str:
    """Return where the run was made, if the key may go there unasked: a directory from elsewhere must not choose."""
    url = checked_base_url(remembered)
    configured = Settings.gather(
        api_key=None, base_url=None, timeout=DEFAULT_TIMEOUT_SECONDS, max_retries=DEFAULT_MAX_RETRIES
    ).base_url
    if url in {configured, checked_base_url(DEFAULT_BASE_URL)} or is_loopback(urlsplit(url).hostname or ""):
        return url
    raise ConfigurationError(
        f"This run was made at {url}, but {configured} is configured.",
        hint=f"If your key may go there, add --base-url {url}",
    )
