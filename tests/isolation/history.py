"""Histories of transactions over append-only lists, and what is wrong with them.

Each list (a key) is a row that transactions append to and read. A list's final content orders its versions, so that every
read tells which version it saw, and with that who depends on whom (Adya, Liskov, O'Neil, "Generalized Isolation Level
Definitions", ICDE 2000; the method is that of Kingsbury and Alvaro, "Elle", VLDB 2020):

    ww  from the writer of a version to the writer of the next
    wr  from the writer of a version to who reads it
    rw  from who reads a version to the writer of the next; over a predicate when what was read is the absence of the row

A history is a list of Transaction; an element says which transaction appended it.
"""

import collections
import dataclasses
import heapq
import re

APPEND, READ, PREDICATE = "append", "read", "predicate"   # PREDICATE: a read that may find the row absent
WW, WR, RW, RW_PREDICATE = range(4)
EDGE_NAMES = ("ww", "wr", "rw", "rw over a predicate")

COMPONENTS_SEARCHED, NODES_SEARCHED = 20, 100   # where one example is enough

# What each level must not show; POSSIBLE ones are counted and told.
AT_ANY_LEVEL = ("G0", "G1a", "G1b", "G1c", "OTV", "lost write", "incompatible order", "internal")
FORBIDDEN = {
    "RC": AT_ANY_LEVEL,
    "RR": (*AT_ANY_LEVEL, "G-single", "P4"),
    "SER": (*AT_ANY_LEVEL, "G-single", "P4", "G2-item", "G2"),
}


@dataclasses.dataclass
class Transaction:
    """What one transaction did. Operations: (APPEND, key, element), (READ or PREDICATE, key, seen), where
    seen is the list of elements or, when it is known to be a beginning of the final list, how many they were."""

    name: object
    committed: bool
    operations: list
    undone: tuple = ()        # elements that it appended and rolled back to a savepoint


@dataclasses.dataclass
class Anomaly:
    kind: str
    text: str


def parse(text):
    """A history in words, a transaction a line: "T1: append x 1, read x 1 2, read y, commit"; "?y" reads over a predicate.

    Also "final x 1 2": what was in list x at the end; without it the longest list that was read.
    """
    transactions, finals = [], {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("final "):
            _, key, *elements = line.split()
            finals[key] = [int(e) for e in elements]
            continue
        name, _, rest = line.partition(":")
        operations, committed, undone = [], False, []
        for part in re.split(r",\s*", rest.strip()):
            word, *words = part.split()
            if word == "commit":
                committed = True
            elif word == "abort":
                committed = False
            elif word == "append":
                operations.append((APPEND, words[0], int(words[1])))
            elif word == "undone":
                undone.append(int(words[1]))
            elif words[0].startswith("?"):
                operations.append((PREDICATE, words[0][1:], [int(w) for w in words[1:]]))
            else:
                operations.append((READ, words[0], [int(w) for w in words[1:]]))
        transactions.append(Transaction(name, committed, operations, tuple(undone)))
    return transactions, finals


class History:
    """The dependency graph of one history. Nodes are positions in `transactions`."""

    def __init__(self, transactions, finals=None, capacity=8):
        self.transactions = transactions
        self.capacity = capacity                 # anomalies of a kind that are told in words; all are counted
        self.found = collections.Counter()
        self.examples = collections.defaultdict(list)
        self.writer = {}                         # element -> node
        self.dead = set()                        # elements that must never be seen
        self.last_append = {}                    # (node, key) -> its last element of that key
        self.edges = [[] for _ in transactions]  # node -> [(node, kind, key)]
        self._note_appends()
        self.versions = self._version_order(finals or {})
        self.place = {key: {element: i for i, element in enumerate(elements)} for key, elements in self.versions.items()}
        self._check_versions(finals)
        self._note_reads()

    def report(self, kind, text):
        self.found[kind] += 1
        if len(self.examples[kind]) < self.capacity:
            self.examples[kind].append(Anomaly(kind, text))

    def name(self, node):
        return str(self.transactions[node].name)

    # ---- from operations to versions ----

    def _note_appends(self):
        for node, transaction in enumerate(self.transactions):
            for kind, key, what in transaction.operations:
                if kind == APPEND:
                    self.writer[what] = node
                    self.last_append[node, key] = what
                    if not transaction.committed:
                        self.dead.add(what)
            for element in transaction.undone:
                self.writer[element] = node
                self.dead.add(element)

    def _version_order(self, finals):
        longest = dict(finals)
        for transaction in self.transactions:
            if transaction.committed:
                for kind, key, what in transaction.operations:
                    if kind != APPEND and key not in finals and isinstance(what, list) and len(what) > len(longest.get(key, ())):
                        longest[key] = what
        return longest

    def _check_versions(self, finals):
        """Dead elements in a final list, ww edges, and with true finals appends that are gone or came twice."""
        for key, elements in self.versions.items():
            if len(self.place[key]) != len(elements):
                self.report("incompatible order", f"list {key} holds an element twice: {elements}")
            previous = None
            for element in elements:
                node = self.writer.get(element)
                if element in self.dead or node is None:
                    self.report("G1a", f"list {key} holds {element}, which was never committed")
                    continue
                if previous is not None and previous != node:
                    self.edges[previous].append((node, WW, key))
                previous = node
        if finals:
            for node, transaction in enumerate(self.transactions):
                if transaction.committed:
                    for kind, key, what in transaction.operations:
                        if kind == APPEND and what not in self.place.get(key, ()):
                            self.report("lost write", f"{self.name(node)} appended {what} to {key} and committed, but it is not there")

    def _note_reads(self):
        for node, transaction in enumerate(self.transactions):
            if transaction.committed:
                self._note_reads_of(node, transaction)

    def _note_reads_of(self, node, transaction):
        own, seen = {}, []     # own: key -> elements appended so far; seen: (key, version) in order, of others' versions
        first_read = {}
        for kind, key, what in transaction.operations:
            if kind == APPEND:
                if key not in own and key in first_read:
                    self._check_lost_update(node, key, what, first_read[key])
                own.setdefault(key, []).append(what)
                continue
            mine = own.get(key, [])
            if isinstance(what, int):
                what = self.versions.get(key, [])[:what]
            foreign = what[:len(what) - len(mine)] if mine else what
            if what[len(foreign):] != mine:
                self.report("internal", f"{self.name(node)} appended {mine} to {key} and then read {what}")
                continue
            version = self._version_read(node, key, foreign)
            if not mine:
                first_read.setdefault(key, version)
                self._depend(node, key, version, RW_PREDICATE if kind == PREDICATE and not foreign else RW)
            elif version:
                self._reads_from(node, key, version)
            seen.append((key, version))
        self._check_vanishing(node, seen)

    def _version_read(self, node, key, elements):
        """How many elements of the key's order were seen; whatever else was seen is told."""
        order = self.versions.get(key, [])
        count = len(elements)
        if elements != order[:count]:
            agreed = 0
            while agreed < min(count, len(order)) and elements[agreed] == order[agreed]:
                agreed += 1
            dead = [e for e in elements[agreed:] if e in self.dead or e not in self.writer]
            self.report("G1a" if dead else "incompatible order",
                        f"{self.name(node)} read {elements} of {key}, whose order is {order[:count + 2]}")
            return agreed
        if count:
            last, writer = elements[-1], self.writer.get(elements[-1])
            if last not in self.dead and writer not in (None, node) and self.last_append.get((writer, key), last) != last:
                self.report("G1b", f"{self.name(node)} read {key} up to {last}, in the midst of {self.name(writer)}")
        return count

    def _reads_from(self, node, key, version):
        writer = self.writer.get(self.versions[key][version - 1])
        if writer is not None and writer != node:
            self.edges[writer].append((node, WR, key))

    def _depend(self, node, key, version, kind):
        if version:
            self._reads_from(node, key, version)
        order = self.versions.get(key, ())
        if version < len(order):
            overwriter = self.writer.get(order[version])
            if overwriter is not None and overwriter != node:
                self.edges[node].append((overwriter, kind, key))

    def _check_lost_update(self, node, key, element, version):
        """P4: it read a version, others changed it, and it changed it after them."""
        place = self.place.get(key, {}).get(element)
        if place is not None and place > version:
            self.report("P4", f"{self.name(node)} read {version} elements of {key} and appended the {place + 1}th")

    def _check_vanishing(self, node, seen):
        """OTV: it saw a transaction's effect, and in the same or a later read not another effect of the same one."""
        newest = {}            # key -> (place, writer) of the oldest version of the key that is still allowed
        for key, version in seen:
            floor, writer = newest.get(key, (0, None))
            if version < floor:
                self.report("OTV", f"{self.name(node)} saw {self.name(writer)} and then {key} as it was before it")
            if version:
                writer = self.writer.get(self.versions[key][version - 1])
                if writer is None or writer == node:
                    continue
                for kind, other, element in self.transactions[writer].operations:
                    if kind == APPEND:
                        place = self.place.get(other, {}).get(element, -1) + 1
                        if place > newest.get(other, (0, None))[0]:
                            newest[other] = place, writer

    # ---- cycles ----

    def components(self, kinds):
        """The strongly connected components of two nodes and more, over edges of these kinds (Tarjan, without recursion)."""
        edges, size = self.edges, len(self.edges)
        index, low, on_stack = [0] * size, [0] * size, bytearray(size)
        stack, found, counter = [], [], 0
        allowed = [kind in kinds for kind in range(len(EDGE_NAMES))]
        for root in range(size):
            if index[root] or not edges[root]:
                continue
            counter += 1
            index[root] = low[root] = counter
            stack.append(root)
            on_stack[root] = 1
            path = [(root, iter(edges[root]))]
            while path:
                node, successors = path[-1]
                for successor, kind, _ in successors:
                    if not allowed[kind]:
                        continue
                    if not index[successor]:
                        counter += 1
                        index[successor] = low[successor] = counter
                        stack.append(successor)
                        on_stack[successor] = 1
                        path.append((successor, iter(edges[successor])))
                        break
                    if on_stack[successor] and index[successor] < low[node]:
                        low[node] = index[successor]
                else:
                    path.pop()
                    if path and low[node] < low[path[-1][0]]:
                        low[path[-1][0]] = low[node]
                    if low[node] == index[node]:
                        component = []
                        while True:
                            member = stack.pop()
                            on_stack[member] = 0
                            component.append(member)
                            if member == node:
                                break
                        if len(component) > 1:
                            found.append(component)
        return found

    def path(self, start, goal, kinds, within, most=5_000):
        """A shortest path of edges [(from, to, kind, key)] within a set of nodes; None if there is none among `most` nodes."""
        came = {start: None}
        queue = collections.deque([start])
        while queue and len(came) < most:
            node = queue.popleft()
            for successor, kind, key in self.edges[node]:
                if kind in kinds and successor in within and successor not in came:
                    came[successor] = (node, successor, kind, key)
                    if successor == goal:
                        return walk_back(came, start, goal)
                    queue.append(successor)
        return None

    def describe(self, cycle):
        return "; ".join(f"{self.name(a)} -{EDGE_NAMES[kind]} {key}-> {self.name(b)}" for a, b, kind, key in cycle)

    def _cycle(self, component, kinds):
        """A shortest cycle through one node of a component."""
        within = set(component)
        for node in component[:NODES_SEARCHED]:
            for successor, kind, key in self.edges[node]:
                if kind in kinds and successor in within:
                    rest = self.path(successor, node, kinds, within)
                    if rest is not None:
                        return [(node, successor, kind, key), *rest]
        return []

    def find_cycles(self):
        """Counts G0, G1c, G-single, G2-item and G2; of the last two one of each component, since there is no end to them."""
        for component in self.components((WW,)):
            self.report("G0", self.describe(self._cycle(component, (WW,))))
        circular = self.components((WW, WR))
        for component in circular:
            cycle = self._cycle(component, (WW, WR))
            if any(kind == WR for _, _, kind, _ in cycle):
                self.report("G1c", self.describe(cycle))
        components = self.components((WW, WR, RW, RW_PREDICATE))
        if circular:
            self._single_within(components)
        elif components:
            self._single_by_order()
        for component in components[:COMPONENTS_SEARCHED]:
            within = set(component)
            for kind, kinds, needs in (("G2-item", (WW, WR, RW), RW), ("G2", (WW, WR, RW, RW_PREDICATE), RW_PREDICATE)):
                cycle = self._several(component, kinds, within, needs)
                if cycle:
                    self.report(kind, self.describe(cycle))
        if components and not any(self.found[kind] for kind in ("G0", "G1c", "G-single", "G2-item", "G2")):
            self.report("G2", f"a cycle among {len(components[0])} transactions, beyond the search")

    def _order(self):
        """A topological order of the ww and wr edges, close to the order of the transactions: node -> position."""
        indegree = [0] * len(self.edges)
        for successors in self.edges:
            for successor, kind, _ in successors:
                if kind <= WR:
                    indegree[successor] += 1
        ready = [node for node, count in enumerate(indegree) if not count]
        position, count = [0] * len(self.edges), 0
        while ready:
            node = heapq.heappop(ready)
            position[node] = count
            count += 1
            for successor, kind, _ in self.edges[node]:
                if kind <= WR:
                    indegree[successor] -= 1
                    if not indegree[successor]:
                        heapq.heappush(ready, successor)
        return position

    def _single_by_order(self):
        """Every G-single of a history whose ww and wr edges have an order: only what lies between the two ends of an
        anti-dependency that points backward need be searched."""
        position = self._order()
        for node, successors in enumerate(self.edges):
            for successor, kind, key in successors:
                if kind >= RW and position[successor] < position[node]:
                    rest = self._path_between(successor, node, position)
                    if rest is not None:
                        self.report("G-single", self.describe([(node, successor, kind, key), *rest])
                                    if len(self.examples["G-single"]) < self.capacity else "")

    def _path_between(self, start, goal, position):
        end, came, queue = position[goal], {start: None}, collections.deque([start])
        while queue:
            node = queue.popleft()
            for successor, kind, key in self.edges[node]:
                if kind <= WR and successor not in came and position[successor] <= end:
                    came[successor] = (node, successor, kind, key)
                    if successor == goal:
                        return walk_back(came, start, goal)
                    queue.append(successor)
        return None

    def _single_within(self, components):
        """The same where there is no order: a search for each anti-dependency of each component."""
        for component in components[:COMPONENTS_SEARCHED]:
            within = set(component)
            for node in component[:NODES_SEARCHED]:
                for successor, kind, key in self.edges[node]:
                    if kind >= RW and successor in within:
                        rest = self.path(successor, node, (WW, WR), within)
                        if rest is not None:
                            self.report("G-single", self.describe([(node, successor, kind, key), *rest]))

    def _several(self, component, kinds, within, needs=RW):
        """A cycle with at least two anti-dependencies, one of the kind `needs`."""
        for node in component[:NODES_SEARCHED]:
            for successor, kind, key in self.edges[node]:
                if kind == needs and successor in within:
                    rest = self.path(successor, node, kinds, within)
                    if rest is not None and any(k in (RW, RW_PREDICATE) for _, _, k, _ in rest):
                        return [(node, successor, kind, key), *rest]
        return None


def walk_back(came, start, goal):
    steps = []
    while goal != start:
        steps.append(came[goal])
        goal = came[goal][0]
    return steps[::-1]


def examine(transactions, finals=None):
    """The History of these transactions with all its anomalies found."""
    history = History(transactions, finals)
    history.find_cycles()
    return history


def verdict(history, level):
    """What the level forbids and the history shows: {kind: count}."""
    return {kind: history.found[kind] for kind in FORBIDDEN[level] if history.found[kind]}
