"""The statements about job rows, built once: building costs more than PostgreSQL takes to answer.

What a job claimed is named by the parameters `job_kind`, `job_subject` and `token`.
"""

from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from persistence.tables import jobs
from sqlalchemy.dialects.postgresql import Insert, insert

LEASE: Final = timedelta(seconds=60)


def _scheduling() -> Insert:
    row = insert(jobs)
    return row.on_conflict_do_update(
        index_elements=[jobs.c.kind, jobs.c.subject],
        set_={
            "due_at": sa.func.least(jobs.c.due_at, row.excluded.due_at),
            "payload": row.excluded.payload,
            "revision": jobs.c.revision + 1,
        },
    )


def claiming(kind: str) -> sa.Executable:
    """Lease what is due: parameters `now`, `token` and `most`."""
    due = (
        sa.select(jobs.c.kind, jobs.c.subject)
        .where(jobs.c.kind == kind, jobs.c.due_at <= sa.bindparam("now", type_=jobs.c.due_at.type))
        .where(
            sa.or_(
                jobs.c.lease_until.is_(None),
                jobs.c.lease_until < sa.func.clock_timestamp(),
            )
        )
        .order_by(jobs.c.due_at)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(jobs)
        .where(sa.tuple_(jobs.c.kind, jobs.c.subject).in_(due))
        .values(
            lease_token=sa.bindparam("token", type_=jobs.c.lease_token.type),
            lease_until=sa.func.clock_timestamp() + LEASE,
            attempts=jobs.c.attempts + 1,
            last_error=None,
        )
        .returning(jobs)
    )


CLAIMED: Final = (
    jobs.c.kind == sa.bindparam("job_kind"),
    jobs.c.subject == sa.bindparam("job_subject"),
    jobs.c.lease_token == sa.bindparam("token"),
)
_AS_CLAIMED: Final = jobs.c.revision == sa.bindparam("at_revision")
SCHEDULING: Final = _scheduling()
CHECKING: Final = sa.select(sa.literal(1)).select_from(jobs).where(*CLAIMED)
DELETING: Final = sa.delete(jobs).where(*CLAIMED, _AS_CLAIMED)
PUTTING_OFF: Final = (
    sa.update(jobs)
    .where(*CLAIMED)
    .values(
        due_at=sa.case(
            (
                _AS_CLAIMED,
                sa.func.coalesce(
                    sa.bindparam("next_due_at", type_=jobs.c.due_at.type), jobs.c.due_at
                ),
            ),
            else_=jobs.c.due_at,
        ),
        lease_token=None,
        lease_until=None,
    )
)
