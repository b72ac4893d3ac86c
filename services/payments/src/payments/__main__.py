"""`python -m payments serve | migrate`."""

from servicekit.main import run

from payments.bootstrap import build_app
from payments.settings import PaymentsSettings

if __name__ == "__main__":
    run("payments", PaymentsSettings, build_app)
