"""NOWPayments' error shape: `status`, `statusCode`, `code`, `message`.

ApiError
|-- NotFound
|-- BadRequest
`-- AuthenticationRequired
"""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from nowpayments_simulator.js_response import JsResponse


class ApiError(Exception):
    """An answer that is not 2xx, with the machine-readable `code` of NOWPayments."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(message)


class NotFound(ApiError):
    """There is no such payment or invoice, or it is another merchant's."""

    def __init__(self, what: str) -> None:
        super().__init__(404, "NOT_FOUND", f"{what} not found")


class BadRequest(ApiError):
    """A parameter is missing or wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BAD_REQUEST", message)


class AuthenticationRequired(ApiError):
    """The bearer token of `POST /v1/auth` is missing, wrong or older than five minutes."""

    def __init__(self, message: str) -> None:
        super().__init__(401, "AUTH_REQUIRED", message)


def error_response(status: int, code: str, message: str) -> JsResponse:
    """The error body that clients of NOWPayments see."""
    body = {"status": False, "statusCode": status, "code": code, "message": message}
    return JsResponse(body, status)


def install_error_handlers(app: FastAPI) -> None:
    """Turn every refusal, the framework's own included, into that shape."""

    @app.exception_handler(ApiError)
    async def on_api_error(_: Request, error: ApiError) -> JsResponse:
        return error_response(error.status, error.code, error.message)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JsResponse:
        return error_response(400, "BAD_REQUEST", _first_reason(error))

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> JsResponse:
        code = "NOT_FOUND" if error.status_code == 404 else "BAD_REQUEST"  # noqa: PLR2004 - HTTP
        return error_response(error.status_code, code, str(error.detail))


def _first_reason(error: RequestValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return f"{field or 'body'}: {first['msg']}"
