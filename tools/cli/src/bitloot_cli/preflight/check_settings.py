"""Every setting of every service: there, of the right form, strong enough; and the pairs fit."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from delivery.settings import DeliverySettings
from foundation.sealing import KeyRing, PublicKey
from foundation.settings import HttpSettings
from pydantic import SecretBytes, SecretStr, ValidationError

from bitloot_cli.deployment import MODEL_BY_SERVICE, given, names
from bitloot_cli.preflight.outcome import Outcome, failed, ok

Loaded = Mapping[str, HttpSettings]
"""Settings by service, of those services whose settings are all right."""

_SHARED: Final = (
    "environment",
    "storefront_url",
    "kafka_bootstrap_servers",
    "kinguin_enabled",
    "kinguin_api",
    "fingerprint_pepper",
    "hpke_public_key",
)
"""What must be the same wherever it is set."""
_ALONE: Final = ("keks", "link_secret", "fingerprint_pepper", "token_signing_keys")
"""Secrets of ours that each have one purpose."""


def read_settings(
    variables: Mapping[str, str], services: Iterable[str]
) -> tuple[dict[str, HttpSettings], list[Outcome]]:
    """The settings of the services, and a line for each variable that is set or wrong."""
    loaded, outcomes = {}, []
    for service in services:
        values = given(variables, service, names(service))
        problems = dict[str, str]()
        try:
            model = MODEL_BY_SERVICE[service]
            loaded[service] = model.model_validate({k.lower(): v for k, v in values.items()})
        except ValidationError as error:
            problems = dict(_problems(error))
        outcomes += [_line(service, name, problems.get(name)) for name in {**values, **problems}]
    return loaded, outcomes


def _problems(error: ValidationError) -> Iterator[tuple[str, str]]:
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        name = str(problem["loc"][0]).upper() if problem["loc"] else "its settings"
        is_missing = problem["type"] == "missing"
        yield name, "is not set" if is_missing else problem["msg"].removeprefix("Value error, ")


def _line(service: str, name: str, problem: str | None) -> Outcome:
    subject = f"{service} {name}"
    if problem is None:
        return ok(subject)
    field = MODEL_BY_SERVICE[service].model_fields.get(name.lower())
    wanted = field.description if field else None
    return failed(subject, problem, f"set it ({wanted})" if wanted else "correct them")


def check_pairs(loaded: Loaded) -> Iterator[Outcome]:
    """What two services must agree on, and what no two may share."""
    yield from _sealing(loaded)
    yield from (outcome for name in _SHARED if (outcome := _shared(loaded, name)))
    yield from _separate_secrets(loaded)
    yield from _separate_databases(loaded)


def _sealing(loaded: Loaded) -> Iterator[Outcome]:
    delivery = loaded.get("delivery")
    if not isinstance(delivery, DeliverySettings):
        return
    for service, settings in loaded.items():
        public = getattr(settings, "hpke_public_key", None)
        if isinstance(public, PublicKey):
            yield _fits(service, public, delivery.hpke_private_keys)


def _fits(service: str, public: PublicKey, ring: KeyRing) -> Outcome:
    subject = f"{service} HPKE_PUBLIC_KEY and delivery HPKE_PRIVATE_KEYS"
    current = ring.public_key
    if str(public) == str(current):
        return ok(subject, f"a pair, key {public.key_id}")
    if public.key_id in ring.key_ids and public.key_id != current.key_id:
        remedy = f"delivery can open it, but {current.key_id} is current: end the rotation"
        return failed(subject, f"{public.key_id} is an older key", remedy)
    remedy = "what is sealed could never be opened: take both from one `bitloot keygen`"
    return failed(subject, "no pair", remedy)


def _shared(loaded: Loaded, name: str) -> Outcome | None:
    values = {
        service: _plain(value)
        for service, settings in loaded.items()
        if (value := getattr(settings, name, None)) is not None
    }
    if len(values) < 2:  # noqa: PLR2004  nobody to agree with
        return None
    subject = f"{name.upper()} of {', '.join(values)}"
    if len(set(values.values())) == 1:
        return ok(subject, "the same")
    return failed(subject, "not the same", "give all of them one value")


def _separate_secrets(loaded: Loaded) -> Iterator[Outcome]:
    known = {
        name: value
        for settings in loaded.values()
        for name in _ALONE
        if (value := getattr(settings, name, None)) is not None
    }
    for one, other in combinations(known, 2):
        if _keys(known[one]) & _keys(known[other]):
            remedy = "each must be a secret of its own: `bitloot keygen` makes them"
            yield failed(f"{one.upper()} and {other.upper()}", "the same secret", remedy)


def _separate_databases(loaded: Loaded) -> Iterator[Outcome]:
    urls = {
        service: _plain(url)
        for service, settings in loaded.items()
        if (url := getattr(settings, "database_url", None)) is not None
    }
    for one, other in combinations(urls, 2):
        if urls[one] == urls[other]:
            remedy = "each service has a database and a role of its own"
            yield failed(f"DATABASE_URL of {one} and {other}", "the same database", remedy)


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr | SecretBytes):
        return str(value.get_secret_value())
    return str(value)


def _keys(value: Any) -> set[bytes]:
    if isinstance(value, SecretBytes):
        return {value.get_secret_value()}
    return set(value.to_dict().values())
