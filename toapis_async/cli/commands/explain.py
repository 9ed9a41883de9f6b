"""``toapis explain``."""

import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.explanations import TOPICS, explain_task, explain_word
from toapis_async.cli.formatting.models import advice
from toapis_async.cli.options import base_url_option, json_option
from toapis_async.cli.settings import ClientOptions
from toapis_async.cli.stopping import run
from toapis_async.cli.terminal.streams import Terminal, printable
from toapis_async.errors import InvalidRequestError, NotFoundError, ToAPIsError
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.kinds import KINDS
from toapis_async.values.tasks import GenerationTask


@click.command(
    context_settings={"ignore_unknown_options": True},  # messages of the gateway hold words such as -1
    short_help="What an error means, what became of a task, what to do.",
    epilog="""\b
Examples:
  toapis explain 429
  toapis explain "invalid apitype: -1"
  toapis explain charged
  toapis explain task_01K8SGYNNNVBQTXNR4MM964S7K""",
)
@click.argument("words", metavar="[CODE|ERROR|TASK_ID]", nargs=-1)
@base_url_option
@json_option
def explain(words: tuple[str, ...], base_url: str | None, as_json: bool) -> int:
    """Say what an HTTP status, a code or message of the gateway, or an error's name means, and what to do about it.

    A model's id compares its variants. Anything else is taken for a task's id or client_business_id: the gateway is
    asked, and what its record says about failure, charge and references is told (needs the key). Without a word, the
    questions that are asked most.
    """
    terminal = Terminal(as_json=as_json)
    asked = " ".join(words)
    if not asked:
        return _show(terminal, "", [line for name in TOPICS for line in (f"{name}:", *TOPICS[name], "")][:-1])
    catalogue = packaged_catalogue()
    lines = explain_word(asked)
    if lines is None and (model := catalogue.find(asked)) is not None:
        lines = [model.id, *(advice(model, catalogue) or ["It has no variants: toapis models MODEL"])]
    if lines is not None:
        return _show(terminal, asked, lines)
    if len(words) > 1:
        raise InvalidRequestError(
            f"Nothing is known about {asked!r}.",
            hint="Give a status, a code or a name alone, such as 429, content_policy_violation or LinkExpiredError.",
        )

    async def work(_: object) -> int:
        async with ClientOptions(base_url=base_url).client() as client:
            missing: list[ToAPIsError] = []
            for kind in KINDS:
                try:
                    task: GenerationTask = await client.verbs_of(kind).retrieve(asked)
                except (NotFoundError, InvalidRequestError) as error:
                    missing.append(error)
                else:
                    return _show(terminal, asked, explain_task(task, catalogue))
        raise missing[0]

    return run(work)


def _show(terminal: Terminal, asked: str, lines: list[str]) -> int:
    if terminal.as_json:
        terminal.result_json({"asked": asked, "lines": lines}, pretty=True)
    else:
        for line in lines:
            terminal.result_text(printable(line))
    return Exit.DONE
