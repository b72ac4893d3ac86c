"""The search through raw files finds what was planted, in every disguise and on every border."""

import random
from pathlib import Path

import pytest
from chaos import secrecy
from chaos.secrecy import files_below, find_in_files
from stack.secrecy import disguises

SECRET = "PLANT-RAWFI-12345"


@pytest.mark.parametrize("disguise", [name for name, _ in disguises(SECRET)])
def test_every_disguise_is_found_in_a_file(tmp_path: Path, disguise: str) -> None:
    file = tmp_path / "000000010000000000000001"
    file.write_bytes(b"\0" * 100 + dict(disguises(SECRET))[disguise] + b"\xff" * 100)

    assert f"{file.name}: {disguise}" in list(find_in_files([file], [SECRET]))


def test_a_secret_on_the_border_of_two_pieces_is_found(tmp_path: Path) -> None:
    file = tmp_path / "segment.log"
    begin = secrecy._CHUNK - 5
    with file.open("wb") as stream:
        stream.seek(begin)
        stream.write(SECRET.encode())

    assert "segment.log: as it is" in list(find_in_files([file], [SECRET]))


def test_noise_holds_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "noise"
    file.write_bytes(random.Random(1).randbytes(100_000))  # noqa: S311  no secret

    assert list(find_in_files([file], [SECRET])) == []


def test_a_file_that_is_recycled_meanwhile_is_passed_over(tmp_path: Path) -> None:
    assert list(find_in_files([tmp_path / "gone"], [SECRET])) == []


def test_a_folder_without_files_is_no_clean_search(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files_below(tmp_path)
