import random
from collections.abc import Iterator

import pytest
from chaos.tcp_proxy import ProxyHost


@pytest.fixture
def host() -> Iterator[ProxyHost]:
    with ProxyHost.running(random.Random(1)) as found:  # noqa: S311  repeatable, no secret
        yield found
