"""The frame of test programs that start servers of their own: named cases in the order written, counted, each failure printed."""

import argparse
import traceback


class Cases:
    def __init__(self, name):
        self.name = name
        self.cases = []

    def __call__(self, function):
        self.cases.append(function)
        return function

    @staticmethod
    def options(description):
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--preset", default="release")
        parser.add_argument("--only")
        return parser.parse_args()

    def run(self, only, world):
        """Runs all cases, or the one of that name, and says how many passed and failed: the lines that callers print last."""
        passed = failed = 0
        for function in self.cases:
            if only and function.__name__ != only:
                continue
            try:
                function(world)
                passed += 1
            except Exception:
                failed += 1
                print(f"FAILED {self.name}: {function.__name__}")
                traceback.print_exc(limit=-4)
        return passed, failed
