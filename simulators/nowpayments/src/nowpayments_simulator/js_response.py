"""An HTTP answer whose JSON is written as the real, JavaScript, service writes it."""

from typing import Any

from starlette.responses import Response

from nowpayments_simulator.js_json import stringify


class JsResponse(Response):
    """JSON by `js_json.stringify`, so 1e-8 does not come out as Python's 1e-08."""

    media_type = "application/json; charset=utf-8"

    def __init__(self, content: Any, status_code: int = 200) -> None:
        super().__init__(stringify(content), status_code)
