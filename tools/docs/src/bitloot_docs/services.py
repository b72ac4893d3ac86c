"""The services as their code declares them: built with test settings, never started."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import delivery
import fulfillment_custom
import fulfillment_kinguin
import orders
import payments
from contracts import MESSAGES, Message, Topic
from fastapi import FastAPI
from servicekit.runtime import Service, create_app

MESSAGE_SERVICES: Final = tuple(
    package.__name__
    for package in (payments, orders, fulfillment_custom, fulfillment_kinguin, delivery)
)
_NOWHERE: Final = "postgresql://nobody:nothing@127.0.0.1:1/none"


def build(package: str) -> Service:
    """A service as its composition root makes it; nothing is connected."""
    settings = import_module(f"{package}.testing").some_settings(_NOWHERE)
    service: Service = import_module(f"{package}.bootstrap").build_service(settings)
    return service


def applications() -> Iterator[tuple[str, FastAPI]]:
    """Machine name and HTTP application of every service that has an API."""
    for package in MESSAGE_SERVICES:
        service = build(package)
        yield service.name, create_app(service)


def heard_by(package: str) -> list[Topic]:
    """The topics that a service subscribes to, in the order of `Topic`."""
    heard = {consumer.message.topic for consumer in build(package).consumers}
    return [topic for topic in Topic if topic in heard]


def sent_by(package: str) -> list[Topic]:
    """The topics that a service publishes: the messages its `publish_*` modules import."""
    adapters = import_module(f"{package}.adapters")
    found: set[type[Message]] = set()
    for module in iter_modules(adapters.__path__):
        if module.name.startswith("publish_"):
            members = vars(import_module(f"{adapters.__name__}.{module.name}")).values()
            found.update(message for message in MESSAGES if message in members)
    return [topic for topic in Topic if topic in {message.topic for message in found}]
