"""For tests: tokens as orders would issue them."""

from datetime import datetime, timedelta

from foundation.clock import new_id

from webkit.tokens import Principal, Role, Scope, TokenSigner


def admin_token(signer: TokenSigner, role: Role = Role.OWNER, *, now: datetime) -> str:
    """A bearer token of an admin, valid for an hour."""
    return signer.issue(
        Principal(Scope.ADMIN, "test-admin", role),
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        token_id=str(new_id()),
    )


def order_token(signer: TokenSigner, order_id: object, *, now: datetime) -> str:
    """The token of one order, valid for an hour."""
    return signer.issue(
        Principal(Scope.ORDER, str(order_id)),
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        token_id=str(order_id),
    )
