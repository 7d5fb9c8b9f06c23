"""The small frame of the Python client scripts: named cases in the order written, counted, each failure printed."""

import argparse
import inspect
import traceback


class Cases:
    def __init__(self, client):
        self.client = client
        self.cases = []

    def __call__(self, function):
        self.cases.append(function)
        return function

    @staticmethod
    def url():
        parser = argparse.ArgumentParser()
        parser.add_argument("--url", required=True, help="postgresql://user[:password]@host:port/database")
        return parser.parse_args().url

    @staticmethod
    def refused(sqlstate, call):
        """Runs `call`, which must fail with this SQLSTATE."""
        try:
            call()
        except Exception as error:
            found = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
            if found != sqlstate:
                raise AssertionError(f"SQLSTATE {sqlstate} expected, {found} came: {error!r}") from error
            return
        raise AssertionError(f"SQLSTATE {sqlstate} expected, but it was accepted")

    def _report(self, failures):
        print(f"{self.client}: {len(self.cases) - failures} passed, {failures} failed")
        return 1 if failures else 0

    def _failed(self, function):
        print(f"FAILED {self.client}: {function.__name__}")
        traceback.print_exc(limit=-3)

    def run(self, *arguments):
        failures = 0
        for function in self.cases:
            try:
                function(*arguments)
            except Exception:
                failures += 1
                self._failed(function)
        return self._report(failures)

    async def run_async(self, *arguments):
        failures = 0
        for function in self.cases:
            try:
                result = function(*arguments)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                failures += 1
                self._failed(function)
        return self._report(failures)

    async def refused_async(self, sqlstate, awaitable):
        """Awaits what must fail with this SQLSTATE."""
        try:
            await awaitable
        except Exception as error:
            found = getattr(error, "sqlstate", None)
            if found != sqlstate:
                raise AssertionError(f"SQLSTATE {sqlstate} expected, {found} came: {error!r}") from error
            return
        raise AssertionError(f"SQLSTATE {sqlstate} expected, but it was accepted")
