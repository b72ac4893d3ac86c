"""Kinguin's error envelope, and the refusals by `kind`.

ApiError
|-- ConstraintViolation
|-- ProductUnavailable
|-- InsufficientBalance
|-- PreorderRefused
|-- OrderNotFound
|-- NotFound
`-- NoKeysToReturn
"""

import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

UNAUTHORIZED_BODY = {
    "kind": "Authorization",
    "status": 401,
    "detail": "Invalid authentication data.",
    "type": "Unauthorized",
}


class ApiError(Exception):
    """An answer that is not 2xx; `extra` are fields of its kind."""

    def __init__(self, status: int, kind: str, detail: str, **extra: Any) -> None:
        self.status = status
        self.kind = kind
        self.detail = detail
        self.extra = extra
        super().__init__(detail)


class ConstraintViolation(ApiError):
    """The request breaks a rule; `property_path` names the field."""

    def __init__(
        self, property_path: str, detail: str, invalid_value: object = None, status: int = 400
    ) -> None:
        super().__init__(
            status,
            "ConstraintViolation",
            detail,
            propertyPath=property_path,
            invalidValue=invalid_value,
        )


class ProductUnavailable(ApiError):
    """No offer fits the asked price and quantity."""

    def __init__(self) -> None:
        detail = "Unable to find any offer matching order request criteria"
        super().__init__(400, "ProductUnavailable", detail)


class InsufficientBalance(ApiError):
    """The account cannot pay the order."""

    def __init__(self) -> None:
        super().__init__(400, "InsufficientBalance", "Insufficient balance to place the order")


class PreorderRefused(ApiError):
    """A pre-order breaks its own rules."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, "Preorder", detail)


class OrderNotFound(ApiError):
    """There is no such order."""

    def __init__(self, order_id: str) -> None:
        super().__init__(404, "OrderNotFound", "Order not found", orderId=order_id)


class NotFound(ApiError):
    """There is no such product or address."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, "Http", detail)


class NoKeysToReturn(ApiError):
    """The order's keys cannot be returned, or not once more."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, "NoKeysToReturn", detail)


def envelope(path: str, method: str, error: ApiError) -> dict[str, Any]:
    """The body every error but 401 has."""
    return {
        "kind": error.kind,
        "status": error.status,
        "title": _title(error.status),
        "detail": error.detail,
        # The real gateway strips its own prefix.
        "path": path.replace("/esa/api", "/api", 1),
        "method": method,
        "trace": secrets.token_hex(5),
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        **error.extra,
    }


def _title(status: int) -> str:
    known = {code.value: code.phrase for code in HTTPStatus}
    return known.get(status, "Error")


def error_response(request: Request, error: ApiError) -> JSONResponse:
    """`error` as an answer to `request`."""
    return JSONResponse(envelope(request.url.path, request.method, error), error.status)


def install_error_handlers(app: FastAPI) -> None:
    """Turn every refusal, the framework's own included, into that envelope."""

    @app.exception_handler(ApiError)
    async def on_api_error(request: Request, error: ApiError) -> JSONResponse:
        if error.status == HTTPStatus.UNAUTHORIZED:
            return JSONResponse(UNAUTHORIZED_BODY, error.status)
        return error_response(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(request, _violation(error))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        return error_response(request, ApiError(error.status_code, "Http", str(error.detail)))


def _violation(error: RequestValidationError) -> ConstraintViolation:
    first = error.errors()[0]
    path = _property_path(first["loc"][1:])
    value = first.get("input")
    shown = value if isinstance(value, str | int | float | bool) else None
    return ConstraintViolation(path, f'Invalid "{path}" property. {first["msg"]}', shown)


def _property_path(location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.lstrip(".") or "body"
