"""The command `python -m kinguin_simulator`: read the options, take the port, serve."""

from kinguin_simulator.options import parse_options
from kinguin_simulator.server import serve

if __name__ == "__main__":
    serve(parse_options())
