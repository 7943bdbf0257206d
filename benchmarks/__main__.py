"""Run a benchmark: ``python -m benchmarks mlp``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil

import benchmarks


def main() -> None:
    names = [
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if not module.name.startswith("_")
    ]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument(
        "--rounds", type=int, default=5, help="processes a contender (default 5)"
    )
    parser.add_argument("--only", help="run the cases whose name has this in it")
    args = parser.parse_args()
    module = importlib.import_module(f"benchmarks.{args.name}")
    module.main(rounds=args.rounds, only=args.only)


if __name__ == "__main__":
    main()
