"""The command line: one module a command; an error is one plain line and exit code 1."""

import typer

from bitloot_cli.admin_token import admin_token
from bitloot_cli.create_bucket import create_bucket
from bitloot_cli.create_topics import create_topics
from bitloot_cli.import_products import import_products
from bitloot_cli.keygen import keygen
from bitloot_cli.verify import verify

app = typer.Typer(
    help="BitLoot: secrets, topics and bucket of a deployment, admin tokens, products from CSV.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(keygen)
app.command()(create_topics)
app.command()(create_bucket)
app.command()(admin_token)
app.command()(import_products)
app.command()(verify)
