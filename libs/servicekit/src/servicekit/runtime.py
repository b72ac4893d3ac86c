"""Put a service together: HTTP, consumers, jobs and the relay in one process.

HTTP serves as soon as PostgreSQL and the schema are right. Kafka is joined in the
background and comes back by itself. A background task that dies takes the process
down, so that whoever runs it starts a fresh one.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx
import structlog
from aiokafka.errors import KafkaError
from fastapi import APIRouter, FastAPI
from faststream.kafka import KafkaBroker
from foundation.clock import Clock, SystemClock
from foundation.settings import ServiceSettings
from persistence.database import Database, is_transient
from persistence.measures import Measure
from persistence.migrations import check_schema
from persistence.notifications import Notifications
from persistence.pruning import INBOX, Pruner, Retention
from persistence.readings import Reading
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.registry import Collector
from webkit.http import create_http
from webkit.jwks import HttpJwks, JwksSource, StaticJwks
from webkit.tokens import TokenVerifier, install_tokens

from servicekit.consumer import BatchConsumer, Consumer, redelivery_runner
from servicekit.jobs import JobRunner
from servicekit.kafka import TopicsMissing, answers, build_broker, missing_topics, sender, subscribe
from servicekit.outbox import OutboxRelay
from servicekit.progress import ProgressCollector
from servicekit.sampler import Sampler

_STOP_S: Final = 12.0
_RECONNECT_S: Final = 1.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """What a composition root hands over to be run."""

    package: str
    settings: ServiceSettings
    database: Database
    consumers: Sequence[Consumer[Any]] = ()
    jobs: Sequence[JobRunner] = ()
    retentions: Sequence[Retention] = ()
    measures: Sequence[Measure] = ()
    readings: Sequence[Reading] = ()
    collectors: Sequence[Collector] = ()
    routers: Sequence[APIRouter] = ()
    resources: Sequence[AbstractAsyncContextManager[Any]] = ()
    body_limits: Mapping[str, int] = field(default_factory=dict)
    jwks: JwksSource | None = None
    clock: Clock = field(default_factory=SystemClock)

    @property
    def name(self) -> str:
        """The machine name: hyphens."""
        return self.package.replace("_", "-")


class Runtime:
    """A running service: its broker and its background tasks."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.broker: KafkaBroker = build_broker(service.settings, service.name)
        self.consumers = [
            BatchConsumer(consumer, service.database, service.clock)
            for consumer in service.consumers
        ]
        for consumer in self.consumers:
            subscribe(self.broker, consumer)
        self._notifications = Notifications(service.database)
        events = self._notifications.events
        redeliver = redelivery_runner(self.consumers, service.database, service.clock)
        self.jobs = [*service.jobs, redeliver]
        self.relay = OutboxRelay(
            service.database, sender(self.broker), events["outbox"], self._kafka_answers
        )
        self.pruner = Pruner([INBOX, *service.retentions], service.database, service.clock)
        self._missing: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything in the background, from the start to a clean end."""
        self._start()
        try:
            yield
        finally:
            await self._stop()

    def _start(self) -> None:
        self._supervise("notifications", self._notifications.run())
        self._supervise("wake_jobs", self._wake_jobs())
        self._supervise("kafka", self._join_kafka())
        self._supervise("pruner", self.pruner.run())
        for job in self.jobs:
            self._supervise(f"jobs.{job.kind}", job.run())

    async def _wake_jobs(self) -> None:
        wake = self._notifications.events["jobs"]
        while True:
            await wake.wait()
            wake.clear()
            for job in self.jobs:
                job.wake.set()

    async def _join_kafka(self) -> None:
        while not await self._kafka_answers():
            _log.warning("kafka.away")
            await asyncio.sleep(_RECONNECT_S)
        await _until_done(self.broker.connect)
        # The relay needs no consumer: what waits goes out while the groups still assemble.
        self._supervise("relay", self.relay.run())
        while await self._lacks_topics():  # noqa: ASYNC110  Kafka tells nobody of a new topic
            await asyncio.sleep(_RECONNECT_S)
        for subscriber in self.broker.subscribers:
            await _until_done(partial(_start, subscriber))
        _log.info("kafka.joined")

    async def check_topics(self) -> None:
        """Whether the topics that this service reads are there, as far as Kafka has said.

        Raises:
            TopicsMissing: they are not; Kafka being away is no such answer.
        """
        if self._missing:
            raise TopicsMissing(self._missing)

    async def _lacks_topics(self) -> bool:
        wanted = {consumer.consumer.message.topic.value for consumer in self.consumers}
        try:
            missing = await missing_topics(self.service.settings, wanted)
        except (KafkaError, OSError) as error:
            _log.warning("kafka.away", error=repr(error))
            return True
        if missing and missing != self._missing:
            _log.error("kafka.topics_missing", reason=str(TopicsMissing(missing)))
        self._missing = missing
        return bool(missing)

    async def _kafka_answers(self) -> bool:
        return await answers(self.service.settings)

    def _supervise(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_end_process_if_failed)
        self._tasks.append(task)

    async def _stop(self) -> None:
        # Away, Kafka lets its client wait for ever: what it wants to flush stands in the outbox.
        async with _best_effort("kafka.stop_failed"), asyncio.timeout(_STOP_S):
            await self.broker.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with _best_effort("outbox.lease_kept"):
            await self.relay.release_lease()


@asynccontextmanager
async def _best_effort(event: str) -> AsyncIterator[None]:
    """At the end: what cannot be done any more must not keep the rest from being done."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  said, and everything heals at the next start
        _log.warning(event, error=repr(error))


async def _until_done(attempt: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await attempt()
        except Exception as error:  # noqa: BLE001  whatever it is, Kafka is not there yet
            _log.warning("kafka.away", error=repr(error))
            await asyncio.sleep(_RECONNECT_S)
        else:
            return


async def _start(subscriber: Any) -> None:
    try:
        await subscriber.start()
    except Exception:
        await subscriber.stop()  # a second start would leave the first consumer running
        raise


def _end_process_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.critical("background_task.died", task=task.get_name(), exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)


def create_app(service: Service) -> FastAPI:
    """The ASGI application of a service; its lifespan runs everything else."""
    runtime = Runtime(service)
    sampler = Sampler(service.database, service.readings)
    _show_metrics(service, runtime, sampler.registry)
    client = httpx.AsyncClient()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(service.database.dispose)
            await stack.enter_async_context(client)
            await check_schema(service.package, service.database)
            for resource in service.resources:
                await stack.enter_async_context(resource)
            await stack.enter_async_context(sampler.running())
            await stack.enter_async_context(runtime.running())
            yield

    app = create_http(
        service.name,
        routers=service.routers,
        checks={"postgres": service.database.ping, "topics": runtime.check_topics},
        lifespan=lifespan,
        registry=sampler.registry,
        body_limits=service.body_limits,
        is_transient=is_transient,
    )
    jwks = service.jwks or _remote_jwks(service, client)
    install_tokens(app, TokenVerifier(jwks, service.clock))
    app.state.runtime = runtime
    return app


def _show_metrics(service: Service, runtime: Runtime, registry: CollectorRegistry) -> None:
    service.database.measurements.show(service.measures)
    ProcessCollector(registry=registry)
    registry.register(service.database.measurements.registry)
    progresses = [consumer.progress for consumer in runtime.consumers]
    registry.register(ProgressCollector(progresses, runtime.broker.subscribers))
    for collector in service.collectors:
        registry.register(collector)


def _remote_jwks(service: Service, client: httpx.AsyncClient) -> JwksSource:
    url = service.settings.jwks_url
    return HttpJwks(url, client, service.clock) if url else StaticJwks({})
