import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from stack.shared_parts import SharedParts
from stack.whole_stack import RunningStack, whole_stack


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, shared_parts: SharedParts) -> Iterator[RunningStack]:
    """The whole stack, once a run: `stack["ORDERS_URL"]`, `stack.mailbox`, `stack.kill("orders")`.

    Its folder with all logs is kept when a test failed.
    """
    folder = Path(tempfile.mkdtemp(prefix="bitloot-e2e-"))
    with whole_stack(folder) as running:
        shared_parts.remember("kafka of the stack", asdict(running.kafka))
        yield running
    if request.session.testsfailed:
        request.config.get_terminal_writer().line(f"\nthe stack's folder is kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
