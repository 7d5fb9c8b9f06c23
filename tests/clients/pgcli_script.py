#!/usr/bin/python3
"""pgcli: what it asks for its completions, its commands beginning with a backslash, its prompt; by the classes that its terminal uses."""

import logging
import sys
import warnings
from urllib.parse import parse_qsl, urlsplit

warnings.simplefilter("ignore")

from pgcli.completion_refresher import CompletionRefresher  # noqa: E402
from pgcli.pgexecute import PGExecute  # noqa: E402
from pgspecial.main import PGSpecial  # noqa: E402

from cases import Cases  # noqa: E402

case = Cases("pgcli")
special = PGSpecial()
SETUP = """
DROP SCHEMA IF EXISTS client_pgcli CASCADE; CREATE SCHEMA client_pgcli;
SET search_path = client_pgcli, public;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE stores (id serial PRIMARY KEY, name text NOT NULL UNIQUE, mood mood DEFAULT 'ok', size positive);
CREATE TABLE orders (id bigint PRIMARY KEY, store int REFERENCES stores ON DELETE CASCADE, total numeric(10,2) DEFAULT 0);
CREATE VIEW totals AS SELECT store, sum(total) AS total FROM orders GROUP BY store;
CREATE INDEX orders_store ON orders (store) WHERE total > 0;
CREATE FUNCTION doubled(amount int, OUT twice int, OUT words text) LANGUAGE sql AS $$ SELECT amount * 2, 'x' $$;
CREATE FUNCTION several(count int DEFAULT 3) RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT generate_series(1, count); END $$;
INSERT INTO stores (name) VALUES ('North'), ('South'); INSERT INTO orders SELECT i, 1 + i % 2, i FROM generate_series(1, 20) i;
"""


def rows(executor, statement):
    """The rows and the status of one statement or command; an error is one here, too."""
    ((title, found, headers, status, _, success, is_special),) = list(executor.run(statement, pgspecial=special))
    assert success, (statement, status)
    return [tuple(row) for row in found or ()], headers, status


@case
def connects_and_knows_itself(executor):
    assert executor.server_version.startswith("15"), executor.server_version
    assert executor.short_host
    assert executor.superuser in (True, False) and executor.pid > 0
    executor.conn.execute(SETUP)


@case
def completions_are_found(executor):
    assert executor.search_path()[:2] == ["pg_catalog", "client_pgcli"], executor.search_path()
    assert {"client_pgcli", "public"} <= set(executor.schemata())
    assert ("client_pgcli", "stores") in set(executor.tables()) and ("client_pgcli", "totals") in set(executor.views())
    columns = {column[2]: column for column in executor.table_columns() if column[:2] == ("client_pgcli", "stores")}
    assert columns["mood"][3] == "mood" and columns["id"][4] and columns["id"][5].startswith("nextval("), columns
    assert [column[2] for column in executor.view_columns() if column[0] == "client_pgcli"] == ["store", "total"]
    (key,) = [key for key in executor.foreignkeys() if key.parentschema == "client_pgcli"]
    assert (key.parenttable, key.parentcolumn, key.childtable, key.childcolumn) == ("stores", "id", "orders", "store")
    functions = {function.func_name: function for function in executor.functions() if function.schema_name == "client_pgcli"}
    assert functions["doubled"].arg_names == ("amount", "twice", "words") or list(functions["doubled"].arg_names) == ["amount", "twice", "words"]
    assert functions["several"].is_set_returning and functions["several"].arg_defaults
    assert {("client_pgcli", "mood"), ("client_pgcli", "positive")} <= set(executor.datatypes())
    assert executor.dbname in executor.databases()
    assert isinstance(list(executor.casing()), list)


@case
def completions_are_refreshed_behind(executor):
    found = []
    refresher = CompletionRefresher()
    refresher.refresh(executor, special, found.append, settings={"casing_file": None})
    refresher._completer_thread.join(60)
    (completer,) = found
    assert "stores" in completer.dbmetadata["tables"]["client_pgcli"] and "doubled" in completer.dbmetadata["functions"]["client_pgcli"]


@case
def statements_answer(executor):
    found, headers, status = rows(executor, "SELECT id, name FROM stores ORDER BY id")
    assert found == [(1, "North"), (2, "South")] and headers == ["id", "name"] and status == "SELECT 2"
    assert rows(executor, "UPDATE stores SET name = 'North!' WHERE id = 1")[2] == "UPDATE 1"
    (failed,) = list(executor.run("SELEC 1", pgspecial=special, exception_formatter=str))
    assert not failed[5] and "syntax error" in failed[3]
    assert executor.valid_transaction() is False and executor.failed_transaction() is False
    rows(executor, "BEGIN")
    assert executor.valid_transaction()
    list(executor.run("SELECT no_such_column", pgspecial=special, exception_formatter=str))
    assert executor.failed_transaction()
    rows(executor, "ROLLBACK")


@case
def commands_answer(executor):
    for command in ("\\l", "\\d", "\\d stores", "\\d+ orders", "\\d totals", "\\d+ totals", "\\dt", "\\dt+", "\\dv", "\\dv+", "\\di", "\\di+",
                    "\\ds", "\\ds+", "\\dn", "\\dn+", "\\du", "\\du+", "\\dT", "\\dT+", "\\dD", "\\dD+", "\\df", "\\df+", "\\df doubled", "\\db", "\\db+",
                    "\\dx", "\\ddp", "\\dm", "\\dE", "\\sf doubled", "\\l+", "\\dn client*", "\\dt client_pgcli.*", "\\df+ several", "\\d client_pgcli.stores"):
        for title, found, headers, status, _, success, _ in executor.run(command, pgspecial=special):
            assert success, (command, status)
            if found is not None and not isinstance(found, str):
                list(found)
    found, headers, _ = rows(executor, "\\dt")
    assert [(row[1], row[2]) for row in found if row[0] == "client_pgcli"] == [("orders", "table"), ("stores", "table")], found
    assert [row[1] for row in rows(executor, "\\df")[0] if row[0] == "client_pgcli"] == ["doubled", "several"]
    assert "doubled" in str(rows(executor, "\\sf doubled")[0])
    found, headers, status = rows(executor, "\\d orders")
    assert [row[0] for row in found] == ["id", "store", "total"] and "orders_store" in status and "FOREIGN KEY" in status, status


@case
def definitions_are_shown(executor):
    assert "sum(" in executor.view_definition("client_pgcli.totals").lower()
    assert "amount * 2" in executor.function_definition("client_pgcli.doubled")


@case
def all_goes(executor):
    assert rows(executor, "DROP SCHEMA client_pgcli CASCADE")[2].startswith("DROP SCHEMA")


def main():
    logging.disable(logging.CRITICAL)
    url = urlsplit(case.url())
    executor = PGExecute(url.path[1:], url.username, url.password, url.hostname, url.port, **dict(parse_qsl(url.query)))
    return case.run(executor)


if __name__ == "__main__":
    sys.exit(main())
