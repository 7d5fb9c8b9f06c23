"""What is run and compared: statements, and units of them that leave the database as it was."""

import wire


class Statement:
    """One request. `ordered`: the rows come in one possible order; `loose`: which of several errors comes first is open, so that of an error the
    SQLSTATE's class alone counts; `creates`: the name whose absence makes later statements pointless; `encoding`: Python's name of the codec that
    the client sends in; `plan`: the rows are a plan, of which only is compared that there is one (and that its JSON is some)."""

    __slots__ = ("sql", "features", "ordered", "loose", "creates", "data", "parameters", "encoding", "plan")

    def __init__(self, sql, features=(), ordered=False, loose=False, creates=None, data=None, parameters=None, encoding="utf-8", plan=False):
        self.sql, self.features, self.ordered, self.loose = sql, frozenset(features), ordered, loose
        self.creates, self.data, self.parameters = creates, data, parameters
        self.encoding, self.plan = encoding, plan

    def request(self):
        if self.data is not None:
            return wire.copy_in(self.sql, self.data)
        if self.parameters is not None:
            return wire.extended(self.sql, self.parameters)
        return wire.query(self.sql, self.encoding)

    def like(self, sql):
        """Another text in this statement's place."""
        return Statement(sql, ordered=self.ordered, loose=self.loose, encoding=self.encoding, plan=self.plan)


class Unit:
    """Statements that belong together, such as a transaction that is rolled back at the end. What follows a unit does not depend on it."""

    __slots__ = ("statements", "undo")

    def __init__(self, statements, undo=()):
        self.statements = list(statements)
        self.undo = list(undo)   # run whatever happened before, and not compared

    @classmethod
    def rolled_back(cls, statements):
        return cls([Statement("BEGIN"), *statements], [Statement("ROLLBACK")])
