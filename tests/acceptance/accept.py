"""Runs an acceptance line by its name; called by scripts/accept. Each line is a module of tests/acceptance/lines."""

import argparse
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import framework  # noqa: E402


def main():
    names = sorted(path.stem for path in (HERE / "lines").glob("*.py") if path.stem != "__init__")
    parser = argparse.ArgumentParser(prog="scripts/accept", description="Runs one acceptance line at its full count.")
    parser.add_argument("name", choices=[*names, "list"])
    parser.add_argument("--scale", type=float, default=1, help="a trial with counts times this; writes no verdict to docs/")
    options = parser.parse_args()
    lines = {name: importlib.import_module(f"lines.{name}").LINE for name in names}
    if options.name == "list":
        for name, line in lines.items():
            print(f"{name:12} {line.text}")
        return 0
    return framework.run(options.name, lines[options.name], options.scale)


if __name__ == "__main__":
    sys.exit(main())
