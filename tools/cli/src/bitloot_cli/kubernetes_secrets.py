"""`bitloot kubernetes-secrets`: the Secrets that deploy/k8s expects, from one file of variables.

Each service gets its own and nothing of another's. For overlays without a store of secrets
(`small`, `dev`); where there is one, External Secrets makes the same Secrets from it.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit

import typer

from bitloot_cli.deployment import SECRET_SETTINGS, SERVICES, given, names, prefix
from bitloot_cli.environment import read_environment
from bitloot_cli.failure import fail
from bitloot_cli.keygen import write_secret_file

_LOGIN: Final = ("KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD")
_OPTIONAL: Final = {*_LOGIN, "SMTP_USERNAME", "SMTP_PASSWORD"}
_BUCKET: Final = ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
_BOOKS: Final = (
    *("NOWPAYMENTS_API_KEY", "NOWPAYMENTS_EMAIL", "NOWPAYMENTS_PASSWORD", "KINGUIN_API_KEY"),
)
_RECONCILED: Final = ("orders", "fulfillment-kinguin")
"""Whose books `reconcile` reads beside those of payments, where it keeps what it found."""

Manifest = dict[str, Any]


def kubernetes_secrets(
    env_file: Annotated[
        Path,
        typer.Option(help="NAME=value lines, as `bitloot preflight` reads them."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write (mode 0600), for kubectl apply.")],
    namespace: Annotated[str, typer.Option(help="Where the shop runs.")] = "bitloot",
    *,
    stand_ins: Annotated[
        bool, typer.Option("--stand-ins", help="Those of the overlay dev's simulators as well.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write the Secrets of every service; needs a <SERVICE>_DATABASE_URL for each.

    And a <SERVICE>_MIGRATE_DATABASE_URL: the role that owns the tables; a
    <SERVICE>_READ_DATABASE_URL: a role that only reads, for `verify` and `reconcile`.
    """
    variables = read_environment(env_file)
    missing = list(lacking(variables))
    if missing:
        fail(f"{env_file} lacks {', '.join(missing)}")
    made = [*secrets(variables), *(stand_in_secrets(variables) if stand_ins else ())]
    manifests = [it | {"metadata": it["metadata"] | {"namespace": namespace}} for it in made]
    # JSON is YAML, so that no YAML writer is needed.
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}, indent=2) + "\n"
    try:
        write_secret_file(out, text, overwrite=force)
    except FileExistsError:
        fail(f"{out} exists: use --force to replace it")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")
    typer.echo(f"wrote {len(manifests)} Secrets to {out}: kubectl apply -f {out}, then delete it")


def wanted(service: str) -> list[str]:
    """The secret settings of a service."""
    return [name for name in names(service) if name in SECRET_SETTINGS]


def lacking(variables: Mapping[str, str]) -> Iterator[str]:
    """Secrets that somebody needs and nobody gave."""
    absent = dict[str, None]()
    for service in SERVICES:
        there = given(variables, service, wanted(service))
        for name in wanted(service):
            if name not in there and name not in _OPTIONAL:
                own = f"{prefix(service)}{name}" if name == "DATABASE_URL" else name
                absent[own] = None
        if wanted(service):
            roles = (f"{prefix(service)}{role}_DATABASE_URL" for role in ("MIGRATE", "READ"))
            absent |= {name: None for name in roles if not variables.get(name)}
    yield from absent


def secrets(variables: Mapping[str, str]) -> Iterator[Manifest]:
    """Every Secret, with its values in the clear only inside."""
    for service in SERVICES:
        if not wanted(service):
            continue
        own = given(variables, service, wanted(service))
        migration = variables[f"{prefix(service)}MIGRATE_DATABASE_URL"]
        yield _secret(f"{service}-secrets", own)
        yield _secret(f"{service}-migrate-secrets", {"DATABASE_URL": migration})
        yield _role(f"{service}-database", own["DATABASE_URL"])
        yield _role(f"{service}-migrate-database", migration)
    yield _secret("create-topics-secrets", given(variables, "create-topics", _LOGIN))
    yield from verification_secrets(variables)


def verification_secrets(variables: Mapping[str, str]) -> Iterator[Manifest]:
    """What `verify` and `reconcile` read with; only the latter writes, and only to payments."""
    read = {
        f"{prefix(service)}DATABASE_URL": variables[f"{prefix(service)}READ_DATABASE_URL"]
        for service in SERVICES
        if wanted(service)
    }
    books = {name: read[name] for name in (f"{prefix(it)}DATABASE_URL" for it in _RECONCILED)}
    books["PAYMENTS_DATABASE_URL"] = variables["PAYMENTS_DATABASE_URL"]
    yield _secret("verify-secrets", read | given(variables, "delivery", _BUCKET))
    yield _secret("reconcile-secrets", books | {name: variables[name] for name in _BOOKS})
    yield _role("verify-database", read["PAYMENTS_DATABASE_URL"])


def stand_in_secrets(variables: Mapping[str, str]) -> Iterator[Manifest]:
    """What the overlay `dev` needs besides: the same secrets, as the other side knows them."""
    pay, key = "NOWPAYMENTS_SIMULATOR_", "KINGUIN_SIMULATOR_"
    yield _secret(
        "nowpayments-simulator-secrets",
        {
            f"{pay}API_KEY": variables["NOWPAYMENTS_API_KEY"],
            f"{pay}IPN_SECRET": variables["NOWPAYMENTS_IPN_SECRETS"].partition(",")[0],
            f"{pay}PASSWORD": variables["NOWPAYMENTS_PASSWORD"],
        },
    )
    yield _secret(
        "kinguin-simulator-secrets",
        {
            f"{key}API_KEY": variables["KINGUIN_API_KEY"],
            f"{key}WEBHOOK_SECRET": variables["KINGUIN_WEBHOOK_SECRET"],
        },
    )
    yield _secret(
        "s3-secrets",
        {
            "ROOT_ACCESS_KEY": variables["S3_ACCESS_KEY_ID"],
            "ROOT_SECRET_KEY": variables["S3_SECRET_ACCESS_KEY"],
        },
    )


def _role(name: str, url: str) -> Manifest:
    """What CloudNativePG makes a role from: the user and password of the URL."""
    parts = urlsplit(url)
    values = {"username": parts.username or "", "password": unquote(parts.password or "")}
    return _secret(name, values) | {"type": "kubernetes.io/basic-auth"}


def _secret(name: str, values: Mapping[str, str]) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "data": data,
    }
