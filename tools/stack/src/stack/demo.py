"""`make demo`: sell one custom and one Kinguin key on a fresh stack.

Only public interfaces are used, as a customer and a shopkeeper would.

The stack lies in a temporary folder on free ports. The folder is deleted when all went well and
kept when something failed, with its logs.
"""

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.buyer import Buyer, PurchaseFailed, Receipt, Shopkeeper
from stack.catalogue import sample_keys
from stack.embedded import EmbeddedStack
from stack.errors import StackError
from stack.logs import tail
from stack.part_sources import EmbeddedParts, PartSecrets
from stack.parts.broker_choice import choose_broker
from stack.ports import free_ports
from stack.processes import ProcessFolder
from stack.progress import StartProgress
from stack.secrets_file import load_secrets
from stack.shared_parts import this_process
from stack.stack_env import StackEnv
from stack.watchdog import start_watchdog

_TIMEOUT_S = 30.0
_LOG_LINES = 15
_KINGUIN_TITLE = "Ember Hollow"


def run_demo(console: Console) -> int:
    """Run the demo, print it; the exit code."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="bitloot-demo-"))
    watchdog = start_watchdog(this_process(), folder, remove=True)
    try:
        receipts = _sell_on_own_stack(console, folder)
    except StackError as error:
        _say_failure(console, folder, error)
        return 1
    finally:
        watchdog.kill()
        watchdog.wait()
    shutil.rmtree(folder, ignore_errors=True)
    print_receipts(console, receipts)
    seconds = time.monotonic() - began
    console.print(
        f"demo: {len(receipts)} orders delivered (custom 1, kinguin 1) in {seconds:.1f} s",
        highlight=False,
    )
    return 0


def _sell_on_own_stack(console: Console, folder: Path) -> list[Receipt]:
    processes = ProcessFolder(folder)
    with StartProgress(console) as progress:
        with progress.step("Kafka's jars"):
            broker = choose_broker(processes)
        if broker.warning:
            progress.say(broker.warning, "bold red")
        parts = EmbeddedParts(processes, PartSecrets.random(), durable=False, broker=broker)
        stack = EmbeddedStack(processes, parts, free_ports(), load_secrets(folder), progress)
        variables = stack.start().variables
        try:
            with progress.step("two orders, from the cart to the key"):
                return asyncio.run(sell_both(variables))
        finally:
            with progress.step("stopping everything"):
                stack.stop()


async def sell_both(variables: StackEnv) -> list[Receipt]:
    """Sell both kinds at the same time; the receipts, custom first.

    Raises:
        StackError: something went otherwise than promised.
    """
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
        custom, kinguin = await asyncio.gather(
            _sell_custom(http, variables), _sell_kinguin(http, variables)
        )
    return [custom, kinguin]


async def _sell_custom(http: httpx.AsyncClient, variables: StackEnv) -> Receipt:
    shop = Shopkeeper(http, variables)
    uploaded = sample_keys(3)
    product_id = await shop.add_product("Lantern Keepers, gift edition", "14.99")
    await shop.upload_keys(product_id, uploaded)
    receipt = await Buyer(http, variables, "ann").buy(product_id, "custom")
    if receipt.key not in uploaded:
        raise PurchaseFailed("the revealed key is none of those uploaded", "fulfillment-custom")
    return receipt


async def _sell_kinguin(http: httpx.AsyncClient, variables: StackEnv) -> Receipt:
    buyer = Buyer(http, variables, "bob")
    receipt = await buyer.buy(await buyer.find_product(_KINGUIN_TITLE), "kinguin")
    if receipt.key not in await Shopkeeper(http, variables).keys_bought_from_kinguin():
        raise PurchaseFailed("the revealed key is not in Kinguin's ledger", "fulfillment-kinguin")
    return receipt


def print_receipts(console: Console, receipts: list[Receipt]) -> None:
    """A table with the timeline of each."""
    for receipt in receipts:
        table = Table(
            "seconds",
            "what happened",
            title=f"{receipt.title} ({receipt.source})",
            title_justify="left",
        )
        for seconds, what in receipt.timeline():
            table.add_row(f"{seconds:6.2f}", what)
        console.print(table)


def _say_failure(console: Console, folder: Path, error: StackError) -> None:
    console.print(Text(f"demo failed: {error}", "red"), soft_wrap=True)
    for name in getattr(error, "suspects", ()):
        log = ProcessFolder(folder).log_of(name)
        console.print(Text(f"the last lines of {name} ({log}):", "bold"), soft_wrap=True)
        console.print(Text(tail(log, _LOG_LINES)), soft_wrap=True)
    console.print(f"the folder is kept: {folder}", highlight=False, soft_wrap=True)
