"""What the reference proxy costs: `python -m benchmarks.proxy [cost | soak | start]`.

cost   CPU and latency of one call, as ratios to three baselines of the same run (the default)
soak   whether memory, descriptors or tasks grow over many calls, failures among them
start  how long a start takes, and what the first call costs
"""

import argparse

from benchmarks.proxy import cost, soak, start


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.proxy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="cost: batches per variant and cell")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("cost", help="the default")
    soaking = commands.add_parser("soak", help="look for growth")
    soaking.add_argument("--calls", type=int, default=20_000, help="default %(default)s")
    starting = commands.add_parser("start", help="measure the start")
    starting.add_argument("--starts", type=int, default=5, help="per era, default %(default)s")
    arguments = parser.parse_args()
    if arguments.command == "soak":
        soak.main(arguments.calls)
    elif arguments.command == "start":
        start.main(arguments.starts)
    else:
        cost.main(arguments.rounds)


if __name__ == "__main__":
    main()
