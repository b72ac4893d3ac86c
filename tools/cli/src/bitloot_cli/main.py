"""The command line: one module a command; an error is one plain line and exit code 1."""

import typer

from bitloot_cli.admin_token import admin_token
from bitloot_cli.import_products import import_products
from bitloot_cli.keygen import keygen

app = typer.Typer(
    help="BitLoot: secrets for a deployment, tokens for admins, products from CSV.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(keygen)
app.command()(admin_token)
app.command()(import_products)
