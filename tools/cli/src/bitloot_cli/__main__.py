"""`python -m bitloot_cli`, the same as the command `bitloot`."""

from bitloot_cli.main import app

if __name__ == "__main__":
    app(prog_name="bitloot")
