"""The faults, in lanes that run beside each other: what does not disturb the others goes at once.

Every step says which alerts it is meant for right before it makes its fault, waits until they
fire or their time is over, and takes the fault back.
"""

import asyncio
import signal
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

from chaos.alerts import making
from chaos.alerts import shop_hands as hands
from chaos.alerts.watch import Watch
from chaos.customers import Ticket
from chaos.faults import kafka_away, refused_mail
from chaos.mail_faults import MailFault
from chaos.poison import poisoned
from chaos.tcp_proxy import Toxics
from chaos.world import World

_TOLD_S: Final = 6.0
"""Longer than Alertmanager waits for others of a group (`group_wait`, shortened)."""
_BUCKET_DOWN: Final = Toxics(
    answer=b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class Lanes:
    """All steps on one stack; `healthy` is an order that was delivered before."""

    def __init__(self, world: World, watch: Watch, healthy: Ticket) -> None:
        self._world = world
        self._watch = watch
        self._healthy = healthy
        self.broken: list[str] = []

    async def run(self) -> None:
        """Everything, one stage after the other; `broken` names what went wrong in between."""
        lanes = (self._stock, self._gateway, self._messages, self._delivery, self._kinguin)
        async with asyncio.TaskGroup() as group:
            for lane in (*lanes, self._storefront):
                group.create_task(self._kept(lane))
        await self._kept(self._kafka)

    async def _kept(self, lane: Callable[[], Awaitable[None]]) -> None:
        """One lane whose end does not end the others."""
        try:
            await lane()
        except Exception as error:  # noqa: BLE001  a broken lane is a result of this run
            self.broken.append(f"{lane.__name__.strip('_')}: {type(error).__name__}: {error}")

    async def _fires(self, *names: str, within_s: float) -> None:
        """Wait for the alerts, and until they were told: what ends before is not."""
        if await self._watch.fires(names, within_s):
            await asyncio.sleep(_TOLD_S)

    async def _stock(self) -> None:
        self._watch.begin("StockRunsOut")
        product = await hands.empty_product(self._world)
        await hands.buy(self._world, product)
        self._watch.begin("PaidOrderStuck/custom")
        async with making.starved(self._world, "fulfillment-custom"):
            self._watch.begin("EventLoopBlocked")
            await self._fires("EventLoopBlocked", within_s=90)
        await self._fires("StockRunsOut", "PaidOrderStuck/custom", within_s=240)
        await hands.upload(self._world, product)

    async def _gateway(self) -> None:
        await self._wrong_money()
        async with making.notifications(self._world, forged=True):
            self._watch.begin("SignatureFailures")
            await self._fires("SignatureFailures", within_s=60)
        await self._fires("PaymentMismatched", "NotificationWithoutEffect", within_s=120)
        names = ("BooksDiffer", "OrderNeedsAttention", "UnderpaidOrderWaits")
        await self._fires(*names, within_s=240)
        await self._without_database()

    async def _wrong_money(self) -> None:
        ticket = await self._world.customers.order("mismatched", "own")
        await self._world.customers.invoice(ticket)
        self._watch.begin("PaymentMismatched", "OrderNeedsAttention")
        await hands.pay_gateway(self._world, ticket.id, send_ipn=True)
        self._watch.begin("NotificationWithoutEffect")
        await hands.notify(self._world, str(uuid.uuid4()))
        await hands.pay_gateway(self._world, str(uuid.uuid4()), send_ipn=False)
        underpaid = await self._world.customers.order("underpaid", "own")
        await self._world.customers.pay(underpaid, outcome="partially_paid", paid_fraction="0.5")
        self._watch.begin("UnderpaidOrderWaits", "BooksDiffer")
        await hands.reconcile(self._world)

    async def _without_database(self) -> None:
        world = self._world
        names = ("FiguresStale", "ServiceErrors", "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlow")
        async with making.no_connections(world, "payments"), making.notifications(world):
            self._watch.begin(*names, "ConsumerLags")
            await world.customers.order("nobody takes it", "own")
            await self._fires(*names, "ConsumerLags", within_s=180)

    async def _messages(self) -> None:
        self._watch.begin("DeadLetters")
        async with poisoned()(self._world):
            await self._fires("DeadLetters", within_s=120)

    async def _storefront(self) -> None:
        async with making.standing_still(self._world, "storefront"):
            self._watch.begin("TargetDown")
            await self._fires("TargetDown", within_s=90)

    async def _delivery(self) -> None:
        async with making.violation(self._world, self._healthy):
            self._watch.begin("InvariantViolated")
            await self._fires("InvariantViolated", within_s=60)
        async with refused_mail(MailFault(recipient="550 5.1.1 no such user"))(self._world):
            self._watch.begin("MailRefused")
            await self._world.customers.order_and_pay("refused", "own")
            await self._fires("MailRefused", within_s=60)
        async with self._world.toxic("mail", Toxics(is_down=True)):
            ticket = await self._world.customers.order_and_pay("not mailed", "own")
            self._watch.begin("MailsWaiting")
            await hands.stored(self._world, ticket)
            await self._bucket_down()
            await self._fires("MailsWaiting", within_s=120)
            await self._held_job()

    async def _bucket_down(self) -> None:
        names = ("KeysNotStored", "JobsFailing", "InvariantsNotChecked")
        async with self._world.toxic("s3", _BUCKET_DOWN):
            self._watch.begin(*names)
            await self._world.customers.order_and_pay("not stored", "own")
            await self._fires(*names, within_s=300)

    async def _held_job(self) -> None:
        async with making.held_jobs(self._world, "delivery", "mail"):
            self._watch.begin("JobsOverdue")
            await self._fires("JobsOverdue", within_s=120)

    async def _kinguin(self) -> None:
        await self._world.simulator("kinguin", stuck=True)
        product = await hands.kinguin_product(self._world)
        await hands.buy(self._world, product)
        self._watch.begin("PaidOrderStuck/kinguin")
        await hands.supplier_has_more_orders(self._world, than=0)
        await self._lost_answer(product)
        await self._refused()
        await self._fires("PurchaseNeedsAttention", "PurchasesWait", within_s=120)
        async with making.aged_offers(self._world):
            self._watch.begin("OffersStale")
            await self._fires("BalanceLow", "ExchangeRateOld", "OffersStale", within_s=180)
        await self._fires("PaidOrderStuck/kinguin", within_s=120)
        await self._world.simulator("kinguin", balance=100_000)

    async def _lost_answer(self, product: str) -> None:
        names = ("SupplierFails", "PurchaseUnknown", "BalanceUnknown")
        before = await hands.supplier_orders(self._world)
        await self._world.simulator("kinguin", stuck=True, drop_answer_after_work=1)
        await hands.buy(self._world, product)
        await hands.supplier_has_more_orders(self._world, than=before)
        await self._world.simulator("kinguin", error_status=500)
        self._watch.begin(*names, "PurchasesWait")
        await hands.buy(self._world, product)
        async with making.searches(self._world):
            await self._fires(*names, within_s=300)

    async def _refused(self) -> None:
        await self._world.simulator("kinguin", error_status=401)
        self._watch.begin("SupplierRefusesUs")
        async with making.searches(self._world):
            await self._fires("SupplierRefusesUs", within_s=60)
        await self._world.simulator("kinguin", error_status=404)
        self._watch.begin("PurchaseNeedsAttention")
        await hands.poll_now(self._world)
        await asyncio.sleep(3)
        await self._world.simulator("kinguin", stuck=True, balance=10)
        await making.age_exchange_rate(self._world)
        self._watch.begin("BalanceLow", "ExchangeRateOld")

    async def _kafka(self) -> None:
        names = ("OutboxStuck", "ConsumerNotJoined")
        async with kafka_away(at_once=False)(self._world):
            self._watch.begin(*names)
            self._world.living("delivery").signal_group(signal.SIGKILL)
            await self._world.customers.order("not sent", "own")
            await self._fires(*names, within_s=120)
