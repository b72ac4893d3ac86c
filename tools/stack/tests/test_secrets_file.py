from pathlib import Path

from stack.secrets_file import load_secrets


def test_secrets_stay_the_same_over_restarts_and_only_their_owner_reads_them(
    tmp_path: Path,
) -> None:
    first = load_secrets(tmp_path)

    second = load_secrets(tmp_path)

    assert second.pick("KEKS", "POSTGRES_PASSWORD") == first.pick("KEKS", "POSTGRES_PASSWORD")
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_missing_secret_is_added_and_the_others_are_kept(tmp_path: Path) -> None:
    kept = load_secrets(tmp_path)["KEKS"]
    file = tmp_path / "secrets.env"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("LINK_SECRET=")]
    file.write_text("\n".join(lines) + "\n")

    loaded = load_secrets(tmp_path)

    assert loaded["KEKS"] == kept
    assert loaded["LINK_SECRET"]


def test_secrets_never_show_in_a_representation(tmp_path: Path) -> None:
    loaded = load_secrets(tmp_path)

    assert loaded["KEKS"] not in repr(loaded)
