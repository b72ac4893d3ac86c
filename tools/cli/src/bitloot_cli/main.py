"""The command line: one module a command; an error is one plain line and exit code 1."""

import typer

from bitloot_cli import dead_letters, reconcile
from bitloot_cli.admin_token import admin_token
from bitloot_cli.create_bucket import create_bucket
from bitloot_cli.create_topics import create_topics
from bitloot_cli.import_products import import_products
from bitloot_cli.keygen import keygen
from bitloot_cli.kubernetes_secrets import kubernetes_secrets
from bitloot_cli.preflight.command import preflight
from bitloot_cli.replay import replay
from bitloot_cli.rotate import rotate_hpke, rotate_kek
from bitloot_cli.verify import verify

app = typer.Typer(
    help="BitLoot: secrets, topics and bucket of a deployment, admin tokens, products from CSV.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(keygen)
app.command()(kubernetes_secrets)
app.command()(preflight)
app.command()(create_topics)
app.command()(create_bucket)
app.command()(admin_token)
app.command()(import_products)
app.command()(verify)
app.command()(replay)
app.command()(rotate_kek)
app.command()(rotate_hpke)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(reconcile.app, name="reconcile")
