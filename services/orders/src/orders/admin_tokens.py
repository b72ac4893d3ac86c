"""Issue a token for an admin from the command line, with an audit row.

Used by `bitloot admin-token`, which has the settings of orders in its environment.
"""

from datetime import timedelta

from foundation.clock import Clock, SystemClock, new_id
from foundation.settings import SecretRing
from persistence.database import Database
from webkit.tokens import Principal, Role, Scope, TokenSigner

from orders.adapters import audit


async def issue(
    database: Database,
    keys: SecretRing,
    *,
    role: Role,
    lifetime: timedelta,
    actor: str,
    clock: Clock | None = None,
) -> str:
    """A bearer token for `role`, valid for `lifetime`; its id stands in the audit log."""
    now = (clock or SystemClock()).now()
    token_id = str(new_id())
    token = TokenSigner(keys).issue(
        Principal(Scope.ADMIN, actor, role),
        issued_at=now,
        expires_at=now + lifetime,
        token_id=token_id,
    )
    async with database.transaction() as transaction:
        await audit.record(
            transaction,
            now,
            audit.Entry(
                actor=actor,
                action="admin_token.issued",
                subject=token_id,
                after={"role": role.value, "expires_at": now + lifetime},
            ),
        )
    return token
