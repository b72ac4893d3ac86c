"""The command: which services, which variables, and the lines in a fixed order."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from delivery.settings import DeliverySettings
from foundation.settings import HttpSettings, ServiceSettings
from fulfillment_kinguin.settings import KinguinSettings
from payments.settings import PaymentsSettings

from bitloot_cli.deployment import SERVICES
from bitloot_cli.environment import read_environment
from bitloot_cli.preflight.check_bucket import check_bucket
from bitloot_cli.preflight.check_databases import check_database
from bitloot_cli.preflight.check_mail import check_mail
from bitloot_cli.preflight.check_providers import check_kinguin, check_nowpayments
from bitloot_cli.preflight.check_settings import check_pairs, read_settings
from bitloot_cli.preflight.check_topics import check_kafka
from bitloot_cli.preflight.outcome import Outcome, merged


def preflight(
    service: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(SERVICES)}; may come often; without it: all."),
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option(help="NAME=value lines; what one service has alone as PAYMENTS_DATABASE_URL."),
    ] = None,
) -> None:
    """Check settings, secrets, databases, topics, bucket, mail and provider keys; changes nothing.

    One line each, ok or FAILED with the remedy; exit code 1 when any failed.
    """
    unknown = sorted(set(service or ()) - set(SERVICES))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)} is none of {', '.join(SERVICES)}")
    outcomes = asyncio.run(check_deployment(read_environment(env_file), service or list(SERVICES)))
    for outcome in outcomes:
        typer.secho(str(outcome), fg=None if outcome.is_ok else typer.colors.RED)
    bad = sum(not outcome.is_ok for outcome in outcomes)
    typer.echo(f"preflight: {len(outcomes)} checked, {bad} failed")
    raise typer.Exit(1 if bad else 0)


async def check_deployment(variables: Mapping[str, str], services: list[str]) -> list[Outcome]:
    """Every line; parts are asked by services whose own settings are right."""
    loaded, outcomes = read_settings(variables, services)
    outcomes += check_pairs(loaded)
    for service, settings in loaded.items():
        outcomes += await _parts(service, settings)
    return list(merged(outcomes))


async def _parts(service: str, settings: HttpSettings) -> list[Outcome]:
    found: list[Outcome] = []
    if isinstance(settings, ServiceSettings):
        found += await check_database(service, settings)
        found += await check_kafka(service, settings)
    if isinstance(settings, PaymentsSettings):
        found += await check_nowpayments(settings)
    if isinstance(settings, KinguinSettings):
        found += await check_kinguin(settings)
    if isinstance(settings, DeliverySettings):
        found += await check_bucket(settings)
        found += await check_mail(settings)
    return found
