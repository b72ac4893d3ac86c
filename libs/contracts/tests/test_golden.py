import json
from pathlib import Path

import pytest
from contracts import MESSAGES, Message, PaymentUpdated
from contracts.golden import FOLDER, SAMPLES, main, pending, refusals, type_name
from jsonschema import Draft202012Validator

CLASS_BY_TYPE = {type_name(m): m for m in MESSAGES}
SHIPPED = sorted((FOLDER / "samples").glob("*.json"))


def read_sample(path: Path) -> tuple[type[Message], str]:
    text = path.read_text()
    return CLASS_BY_TYPE[json.loads(text)["type"]], text


def test_committed_schemas_are_current_and_every_message_has_a_sample() -> None:
    assert [path.name for path in pending(FOLDER)] == []


def test_committed_schemas_are_compatible_with_the_models() -> None:
    assert refusals(FOLDER) == []


def test_no_schema_is_left_over_from_a_message_that_is_gone() -> None:
    schemas = {path.stem for path in (FOLDER / "schemas").glob("*.json")}

    assert schemas == set(CLASS_BY_TYPE)


def test_one_sample_is_built_for_every_message() -> None:
    assert [type(sample) for sample in SAMPLES] == list(MESSAGES)


def test_a_payment_update_is_read_with_and_without_a_price() -> None:
    prices = {
        PaymentUpdated.model_validate_json(path.read_text()).price is None
        for path in SHIPPED
        if path.name.startswith("payment.updated.v1")
    }

    assert prices == {True, False}


def holds(read: object, shipped: object) -> bool:
    """Whether everything that was shipped is there, at any depth; newer fields may be more."""
    match read, shipped:
        case dict(), dict():
            return all(name in read and holds(read[name], shipped[name]) for name in shipped)
        case list(), list():
            return len(read) == len(shipped) and all(map(holds, read, shipped))
        case _:
            return read == shipped


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_sample_ever_shipped_is_still_read_whole(path: Path) -> None:
    message_class, text = read_sample(path)

    dumped = message_class.model_validate_json(text).model_dump(mode="json")

    assert holds(dumped, json.loads(text))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_dumped_sample_round_trips_byte_for_byte(path: Path) -> None:
    message_class, text = read_sample(path)
    dumped = message_class.model_validate_json(text).model_dump_json()

    again = message_class.model_validate_json(dumped).model_dump_json()

    assert again.encode() == dumped.encode()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_samples_fit_the_committed_schema(path: Path) -> None:
    message_class, text = read_sample(path)
    schema = json.loads((FOLDER / "schemas" / f"{type_name(message_class)}.json").read_text())

    faults = [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(text))]

    assert faults == []


def test_check_names_each_missing_file_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--check", "--folder", str(tmp_path)])

    assert code == 1
    assert "schemas/key.ready.v1.json is out of date" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_writing_twice_leaves_samples_untouched(tmp_path: Path) -> None:
    main(["--folder", str(tmp_path)])
    sample = tmp_path / "samples" / "key.ready.v1.json"
    first = sample.read_text()

    code = main(["--folder", str(tmp_path)])

    assert code == 0
    assert sample.read_text() == first
    assert main(["--check", "--folder", str(tmp_path)]) == 0


def test_writing_refuses_an_incompatible_change_and_keeps_the_old_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--folder", str(tmp_path)])
    path = tmp_path / "schemas" / "key.ready.v1.json"
    old = json.loads(path.read_text())
    old["properties"]["platform"] = {"type": "string"}
    path.write_text(json.dumps(old))

    code = main(["--folder", str(tmp_path)])

    assert code == 1
    assert "key.ready.v1: message.platform: vanished" in capsys.readouterr().err
    assert json.loads(path.read_text()) == old


def test_a_schema_that_is_only_out_of_date_is_rewritten(tmp_path: Path) -> None:
    main(["--folder", str(tmp_path)])
    path = tmp_path / "schemas" / "key.ready.v1.json"
    current = path.read_text()
    path.write_text(current.replace("all keys of a line", "every key of a line") + "\n")

    assert main(["--folder", str(tmp_path)]) == 0
    assert path.read_text() == current
