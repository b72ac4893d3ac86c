import json
from pathlib import Path

import httpx
import pytest
from bitloot_cli.import_products import BrokenCsv, ImportResult, read_chunks, send
from bitloot_cli.main import app
from rich.console import Console
from rich.progress import Progress
from typer.testing import CliRunner

HEADER = "title,retail_price"


def a_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "products.csv"
    file.write_text(text, newline="")
    return file


def send_to(handler: "httpx.MockTransport", file: Path, rows: int = 2) -> ImportResult:
    with httpx.Client(transport=handler, base_url="http://orders") as client:
        return send(client, read_chunks(file, rows), Progress(console=Console(quiet=True)))


def test_answers_of_all_chunks_are_added_up(tmp_path: Path) -> None:
    file = a_file(tmp_path, f"{HEADER}\n" + "".join(f"Game {n},9.99\n" for n in range(5)))
    bodies = []

    def orders(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content.decode())
        count = len(request.content.decode().splitlines()) - 1
        answer = {"created": count, "updated": 0, "unchanged": 0, "rejected": []}
        return httpx.Response(200, json=answer)

    result = send_to(httpx.MockTransport(orders), file)

    assert (result.created, len(bodies)) == (5, 3)
    assert all(body.startswith(HEADER) for body in bodies)


def test_refused_row_is_reported_with_its_line_in_the_file(tmp_path: Path) -> None:
    text = f'{HEADER}\nA,1\n"B with\na line break",2\n\nC,x\n'

    def orders(request: httpx.Request) -> httpx.Response:
        lines = request.content.decode().splitlines()
        rejected = [
            {"line": number, "reason": "retail_price: not a price"}
            for number, line in enumerate(lines, start=1)
            if line.endswith(",x")
        ]
        return httpx.Response(
            200, json={"created": 0, "updated": 0, "unchanged": 0, "rejected": rejected}
        )

    result = send_to(httpx.MockTransport(orders), a_file(tmp_path, text))

    assert result.rejected == [(6, "retail_price: not a price")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"title,retail_price\nCaf\xe9,1\n", "not UTF-8"),
        (b'title,retail_price\n"never closed,1\n', "not CSV"),
    ],
)
def test_broken_file_is_refused_before_anything_is_sent(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "products.csv"
    file.write_bytes(content)

    with pytest.raises(BrokenCsv, match=reason):
        read_chunks(file)


def test_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_header(tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_bytes("﻿title,retail_price\nA,1\n".encode())

    assert read_chunks(file)[0].text.startswith("title,")


def test_unreachable_server_is_one_plain_line(tmp_path: Path) -> None:
    file = a_file(tmp_path, f"{HEADER}\nA,1\n")
    options = ["--orders-url", "http://127.0.0.1:9", "--token", json.dumps("t")]

    answer = CliRunner().invoke(app, ["import-products", str(file), *options])

    assert answer.exit_code == 1
    assert "orders does not answer at http://127.0.0.1:9" in answer.output
    assert "Traceback" not in answer.output


def test_missing_file_is_one_plain_line(tmp_path: Path) -> None:
    options = ["--orders-url", "http://127.0.0.1:9", "--token", "t"]

    answer = CliRunner().invoke(app, ["import-products", str(tmp_path / "no.csv"), *options])

    assert answer.exit_code == 1
    assert "cannot read" in answer.output
