"""How a run was started, kept in its journal so that ``toapis resume DIR`` starts it the same way."""

import json
from decimal import Decimal
from pathlib import Path
from typing import get_args

import attrs

from toapis_async.cli.settings import ClientOptions, RunOptions
from toapis_async.clock import SystemClock
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.wire.prompt_files import PromptForm
from toapis_async.wire.table_columns import Columns, columns_from

NOTE = "command line"
_AMOUNTS = ("max_cost", "price")


@attrs.frozen(kw_only=True)
class Memory:
    """What is remembered.

    Attributes:
        input: the prompt file, absolute; None where there is none to read again.
        form: how it is written.
        name: what the user called it.
        references_at: where its relative references begin.
        columns: which column is which field.
        base_url: the gateway that the run was made at.
        options: of the run; their ``base_url`` is empty.
        demo: whether it was the demo's, at a gateway that is gone.
        files_at: where the files go where that is not the journal's directory.

    """

    input: str | None = None
    form: PromptForm = "jsonl"
    name: str = ""
    references_at: str = ""
    columns: Columns = attrs.field(factory=Columns)
    base_url: str = ""
    options: RunOptions = attrs.field(factory=RunOptions)
    demo: bool = False
    files_at: str = ""

    def to_text(self) -> str:
        """Write it down."""
        body = attrs.asdict(self)
        for name in _AMOUNTS:
            amount = getattr(self.options, name)
            body["options"][name] = None if amount is None else str(amount)
        del body["options"]["client"]["base_url"]
        return json.dumps(body)

    @classmethod
    def from_text(cls, text: str) -> "Memory | None":
        """Read what ``to_text`` wrote; None where it cannot be, or a newer version wrote it."""
        try:
            body = json.loads(text)
            options = body.pop("options")
            client = ClientOptions(**options.pop("client"))
            for name in _AMOUNTS:
                if options.get(name) is not None:
                    options[name] = Decimal(options[name])
            run = RunOptions(client=client, **options)
            columns = columns_from(body.pop("columns", {}))
            memory = cls(options=run, columns=columns, **body)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            return None
        return memory if memory.form in get_args(PromptForm) else None


async def recalled(directory: Path) -> Memory | None:
    """Return how the run in a directory was started, or None where that was not by this program.

    Raises:
        JournalError: there is no journal, or none that can be read.

    """
    async with SqliteJournal(directory, clock=SystemClock(), read_only=True) as journal:
        text = await journal.recall(NOTE)
    return None if text is None else Memory.from_text(text)
