import json

import pytest
import structlog
from foundation.log_ids import add_log_ids, current_log_ids, log_ids
from foundation.testing import captured_log


def test_ids_known_later_go_with_the_piece_of_work() -> None:
    with log_ids(kind="store", order_id=None):
        add_log_ids(order_id=7)
        assert current_log_ids() == {"kind": "store", "order_id": "7"}

    assert current_log_ids() == {}


def test_inner_piece_of_work_gives_the_outer_one_its_ids_back() -> None:
    with log_ids(order_id="outer"):
        with log_ids(order_id="inner", message_id="m"):
            assert current_log_ids() == {"order_id": "inner", "message_id": "m"}

        assert current_log_ids() == {"order_id": "outer"}


def test_failing_piece_of_work_leaves_nothing_behind() -> None:
    with pytest.raises(ValueError, match="no"), log_ids(order_id="1"):
        raise ValueError("no")

    assert current_log_ids() == {}


def test_lines_carry_the_ids() -> None:
    with captured_log("orders") as log, log_ids(order_id="o-1", message_id="m-1"):
        structlog.get_logger().info("order.changed")

    line = json.loads(log.getvalue())
    assert (line["order_id"], line["message_id"]) == ("o-1", "m-1")
