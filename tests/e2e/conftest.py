import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from stack.shared_parts import SharedParts
from stack.verify import verify
from stack.whole_stack import RunningStack, whole_stack

MONEY_RULES = {
    "payments": {"UNDERPAID_TOLERANCE_PERCENT": "2"},
    "orders": {"MARGIN_FLOOR_PERCENT": "10"},
}
"""Rules that a shop would have, so that what they allow and refuse can be seen."""


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest, shared_parts: SharedParts) -> Iterator[RunningStack]:
    """The whole stack, once a run: `stack["ORDERS_URL"]`, `stack.mailbox`, `stack.kill("orders")`.

    After the last test every invariant must hold for all that the tests did. Its folder with
    all logs is kept when a test failed.
    """
    folder = Path(tempfile.mkdtemp(prefix="bitloot-e2e-"))
    with whole_stack(folder, MONEY_RULES) as running:
        shared_parts.remember("kafka of the stack", asdict(running.kafka))
        yield running
        report = verify(running)
        assert report.violations == 0, {n: found for n, found in report.findings.items() if found}
        assert report.orders_read > 0
    if request.session.testsfailed:
        request.config.get_terminal_writer().line(f"\nthe stack's folder is kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
