"""The command `python -m nowpayments_simulator`: read the options, take the port, serve."""

from nowpayments_simulator.options import parse_options
from nowpayments_simulator.server import serve

if __name__ == "__main__":
    serve(parse_options())
