import stat
from pathlib import Path

from stack.compose_env import ensure_compose_env, read_compose_env


def test_secrets_are_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    file = tmp_path / ".env"

    made = ensure_compose_env(file)
    before = read_compose_env(file)

    assert set(made) == set(before)
    assert ensure_compose_env(file) == []
    assert read_compose_env(file) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_missing_secret_is_added_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nKEKS=old\nORDERS_PORT=18002")

    made = ensure_compose_env(file)

    assert "KEKS" not in made
    assert file.read_text().startswith("# mine\nKEKS=old\nORDERS_PORT=18002\n")
    assert read_compose_env(file)["KEKS"] == "old"


def test_two_stacks_share_no_secret(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        ensure_compose_env(file)

    one, two = ({*read_compose_env(file).values()} for file in files)

    assert one & two == set()
