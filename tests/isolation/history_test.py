#!/usr/bin/python3
"""The history checker finds each anomaly in a history made by hand, and nothing in those that are sound."""

import sys

import history

# name: (history, the anomalies it shows)
HISTORIES = {
    "serial": ("""
        T1: append x 1, append y 2, commit
        T2: read x 1, read y 2, append x 3, commit
        T3: read x 1 3, commit""", set()),
    "an aborted append that nobody saw": ("""
        T1: append x 1, abort
        T2: read x, append x 2, commit
        T3: read x 2, commit""", set()),
    "own appends are read back": ("""
        T1: append x 1, read x 1, append x 2, read x 1 2, commit
        T2: read x 1 2, commit""", set()),
    "G0: writes interleave": ("""
        T1: append x 1, append y 2, commit
        T2: append x 3, append y 4, commit
        final x 1 3
        final y 4 2""", {"G0"}),
    "G1a: an aborted append is read": ("""
        T1: append x 1, abort
        T2: read x 1, commit""", {"G1a"}),
    "G1a: an append undone by a savepoint is read": ("""
        T1: append x 1, undone x 2, commit
        T2: read x 1 2, commit""", {"G1a"}),
    "G1a: an aborted append stays": ("""
        T1: append x 1, abort
        T2: append x 2, commit
        final x 1 2""", {"G1a"}),
    "G1b: an intermediate version is read": ("""
        T1: append x 1, append x 2, commit
        T2: read x 1, commit
        final x 1 2""", {"G1b", "G-single"}),
    "G1c: each reads what the other wrote": ("""
        T1: append x 1, read y 2, commit
        T2: append y 2, read x 1, commit""", {"G1c"}),
    "G1c: a write before and a read after": ("""
        T1: append x 1, append y 2, commit
        T2: append x 3, read y, commit
        T3: read y 2, append x 4, commit
        final x 4 1 3
        final y 2""", {"G1c", "G-single"}),
    "OTV: an observed transaction vanishes": ("""
        T1: append x 1, append y 2, commit
        T2: read x 1, read y, commit
        final x 1
        final y 2""", {"OTV", "G-single"}),
    "G-single: read skew": ("""
        T1: append x 1, append y 2, commit
        T2: read x, read y 2, commit
        final x 1
        final y 2""", {"G-single"}),
    "G-single: over a predicate": ("""
        T1: append x 1, append y 2, commit
        T2: read ?x, read y 2, commit
        final x 1
        final y 2""", {"G-single"}),
    "G-single: through a third": ("""
        T1: append x 1, append z 5, commit
        T2: read z 5, append y 2, commit
        T3: read x, read y 2, commit
        final x 1""", {"G-single"}),
    "P4: a lost update": ("""
        T1: read x, append x 1, commit
        T2: read x, append x 2, commit
        final x 1 2""", {"P4", "G-single"}),
    "G2-item: write skew": ("""
        T1: read x, read y, append x 1, commit
        T2: read x, read y, append y 2, commit
        final x 1
        final y 2""", {"G2-item"}),
    "G2: write skew over a predicate": ("""
        T1: read ?x, read ?y, append x 1, commit
        T2: read ?x, read ?y, append y 2, commit
        final x 1
        final y 2""", {"G2"}),
    "G2-item: three in a circle": ("""
        T1: read x, append y 1, commit
        T2: read y, append z 2, commit
        T3: read z, append x 3, commit
        final x 3
        final y 1
        final z 2""", {"G2-item"}),
    "G2-item: the read-only anomaly": ("""
        T1: read x, read y, append x 1, commit
        T2: read y, append y 2, commit
        T3: read x, read y 2, commit
        final x 1
        final y 2""", {"G2-item"}),
    "two readers in the order of the writes are sound": ("""
        T1: append x 1, commit
        T2: append y 2, commit
        T3: read x 1, read y, commit
        T4: read x 1, read y 2, commit""", set()),
    "a lost write": ("""
        T1: append x 1, commit
        T2: append x 2, commit
        final x 2""", {"lost write"}),
    "two orders of one list": ("""
        T1: append x 1, commit
        T2: append x 2, commit
        T3: read x 1 2, commit
        T4: read x 2, commit
        final x 1 2""", {"incompatible order"}),
    "own appends are not there": ("""
        T1: append x 1, read x, commit
        final x 1""", {"internal"}),
}


def main():
    failed = 0
    for name, (text, wanted) in HISTORIES.items():
        found = set(history.examine(*history.parse(text)).found)
        if found != wanted:
            print(f"FAILED {name}: found {sorted(found)}, not {sorted(wanted)}")
            failed += 1
    for level, kinds in (("RC", {"G0", "G1a", "G1b", "G1c"}), ("RR", {"G-single", "P4", "OTV"}), ("SER", {"G2-item", "G2"})):
        if not kinds <= set(history.FORBIDDEN[level]):
            print(f"FAILED {level} does not forbid {kinds - set(history.FORBIDDEN[level])}")
            failed += 1
    print(f"{len(HISTORIES) + 3 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
