"""The engine without the wire: place_order a second on one shard and on two, and for a user's module with the same rules."""

import re
import shutil
import subprocess

from framework import RELEASE, Line, at_least

ORDERS = 5_000_000
USER_MODULE = RELEASE / "modules" / "user_hotdog.so"


def orders_per_s(context, shards, *arguments):
    directory = context.work / "engine-data"
    shutil.rmtree(directory, ignore_errors=True)
    command = [RELEASE / "engine_place_order", "--shards", shards, "--orders", context.count(ORDERS), "--preallocate", 12000,
               "--dir", directory, *arguments]
    result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    shutil.rmtree(directory)
    rate = re.search(r"orders_per_s (\d+)", result.stdout)
    if not rate:
        raise RuntimeError(f"engine_place_order told no rate:\n{result.stdout}")
    return float(rate[1])


def measure(context, number):
    found = {}
    for shards in (1, 2):
        found[f"orders_per_s_{shards}"] = orders_per_s(context, shards)
        found[f"module_orders_per_s_{shards}"] = orders_per_s(context, shards, "--module", USER_MODULE)
        found[f"module_of_shipped_{shards}"] = found[f"module_orders_per_s_{shards}"] / found[f"orders_per_s_{shards}"]
    return found


def judge(medians, rounds):
    return [
        at_least("orders/s on one shard", medians["orders_per_s_1"], 200_000),
        at_least("orders/s on two shards", medians["orders_per_s_2"], 320_000),
        at_least("a user's module to the shipped one, one shard", medians["module_of_shipped_1"], 0.9),
        at_least("a user's module to the shipped one, two shards", medians["module_of_shipped_2"], 0.9),
    ]


LINE = Line("engine only, log on: 5,000,000 three-line orders at 200,000/s on one shard and 320,000/s on two; a user's module within 10 %",
            3, measure, judge)
