"""``toapis balance``."""

from decimal import Decimal

import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.amounts import usd
from toapis_async.cli.formatting.json_forms import balance_form
from toapis_async.cli.options import base_url_option, json_option
from toapis_async.cli.settings import ClientOptions
from toapis_async.cli.stopping import run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.values.account import Balance


@click.command(
    short_help="Show what is left, and what was used.",
    epilog="""\b
Examples:
  toapis balance
  toapis balance --user --json""",
)
@click.option("--user", is_flag=True, help="Of the user that owns the key, all keys together.")
@base_url_option
@json_option
def balance(user: bool, base_url: str | None, as_json: bool) -> int:  # click passes by name
    """Show what is left, and what was used."""
    terminal = Terminal(as_json=as_json)

    async def work(_: object) -> int:
        async with ClientOptions(base_url=base_url).client() as client:
            found = await (client.account.user_balance() if user else client.account.balance())
        if as_json:
            terminal.result_json(balance_form(found), pretty=True)
        else:
            for line in _lines(found):
                terminal.result(line)
        return Exit.DONE

    return run(work)


def _lines(found: Balance) -> list[str]:
    left = "unlimited" if found.unlimited else _amount(found.remaining_usd, found.remaining_credits)
    return [f"left  {left}", f"used  {_amount(found.used_usd, found.used_credits)}"]


def _amount(dollars: Decimal | None, points: Decimal | None) -> str:
    parts = ([] if dollars is None else [f"{usd(dollars)} USD"]) + ([] if points is None else [f"{points:,f} credits"])
    return " = ".join(parts) or "not said"
