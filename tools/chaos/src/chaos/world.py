"""Everything that a fault can take hold of: the stack, its parts, proxies and simulators."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from stack.parts.part import wait_until_ready
from stack.parts.probes import http_answers
from stack.ports import free_port
from stack.processes import Identity, ProcessFolder
from stack.whole_stack import RunningStack

from chaos.customers import Customers
from chaos.proxied_parts import ProxiedParts
from chaos.tcp_proxy import CLEAN, ProxyHost, Toxics

_REPLICA_DEADLINE_S = 120.0


@dataclass(frozen=True)
class World:
    """One running stack and the hands that shake it."""

    stack: RunningStack
    parts: ProxiedParts
    host: ProxyHost
    customers: Customers
    http: httpx.AsyncClient
    dice: random.Random
    next_keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What services are told in the last step of a change of keys, by service."""

    @property
    def processes(self) -> ProcessFolder:
        """Who runs in the stack."""
        return ProcessFolder(self.stack.folder)

    def living(self, name: str) -> Identity:
        """The process of a service or part.

        Raises:
            LookupError: it does not run.
        """
        found = self.processes.living(name)
        if found is None:
            raise LookupError(f"{name} does not run")
        return found

    def url(self, service: str, path: str) -> str:
        """An address of a service or simulator."""
        return f"{self.stack[service.replace('-', '_').upper() + '_URL']}{path}"

    async def simulator(self, name: str, **faults: Any) -> None:
        """Set a simulator's faults; those not named are off."""
        url = self.url(f"{name}-simulator", "/_simulator/faults")
        (await self.http.put(url, json=faults)).raise_for_status()

    @asynccontextmanager
    async def toxic(self, proxy: str, toxics: Toxics) -> AsyncIterator[None]:
        """Spoil what passes one proxy."""
        self.host.set(self.parts.proxies[proxy], toxics)
        try:
            yield
        finally:
            self.host.set(self.parts.proxies[proxy], CLEAN)

    @asynccontextmanager
    async def replica(
        self, service: str, environment: Mapping[str, str] | None = None
    ) -> AsyncIterator[None]:
        """A second process of a service, on a port of its own, which ends in order.

        `environment` is what it is told otherwise than the first.
        """
        name = f"{service}-replica"
        await asyncio.to_thread(self._start_replica, service, name, environment or {})
        try:
            yield
        finally:
            await asyncio.to_thread(self.processes.stop, name)

    def _start_replica(self, service: str, name: str, environment: Mapping[str, str]) -> None:
        plan = replace(
            self.stack.plan, port_by_name={**self.stack.plan.port_by_name, service: free_port()}
        )
        command = plan.command(service)
        told = {**command.environment, **environment}
        wait_until_ready(
            name,
            self.processes.start(replace(command, name=name, environment=told)),
            self.processes,
            is_ready=lambda: http_answers(f"{plan.url(service)}/health/ready"),
            deadline_s=_REPLICA_DEADLINE_S,
        )
