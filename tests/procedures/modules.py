#!/usr/bin/python3
"""Users' modules through the wire: modules.py [--preset release]

Builds procedures/examples/loyalty.cc out of the tree, against installed headers and by the command of its README, and
modules that are bad in every way that the loader looks for; loads them all into one server. Good ones are called, also after
a restart; bad ones are refused with their SQLSTATE, and the server goes on. Ends with "N passed, N failed".
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import traceback

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness import server as servers  # noqa: E402

# As procedures/examples/README.md says.
COMPILE = ["g++", "-std=c++20", "-O2", "-fPIC", "-shared", "-msse4.2", "-mcx16"]

# What each bad module is made of, and what the server must answer. ABI stands for the version of the running server.
BAD = {
    "no_entry": ("int nothing;", "42P17"),
    "gives_nothing": ('extern "C" const void* wandian_module() { return nullptr; }', "42P17"),
    "throws": ('extern "C" const void* wandian_module() { throw 1; }', "42P17"),
    "old_version": ('static unsigned abi[64] = {7}; extern "C" const void* wandian_module() { return abi; }', "42P17"),
    "unresolved": ('extern "C" int not_in_any_server(); extern "C" const void* wandian_module() { not_in_any_server(); return nullptr; }', "58P01"),
    "misnamed": ('#include "engine/procedure.h"\nextern "C" const wandian::ProcedureModule* wandian_module() '
                 '{ static wandian::ProcedureModule m{.name = "other"}; return &m; }', "42P17"),
    "keyless": ('#include "engine/procedure.h"\nusing namespace wandian;\nextern "C" const ProcedureModule* wandian_module() {\n'
                'static std::vector<ProcedureDefinition> p(1); p[0].name = "f"; p[0].arguments = {23};\n'
                'p[0].bind = [](ProcedureBinder&) -> std::shared_ptr<const void> { return nullptr; };\n'
                'p[0].local = [](LocalContext&, const void*, std::span<const Value>, Value*) { return true; };\n'
                'static ProcedureModule m{.name = "keyless", .procedures = p}; return &m; }', "42P17"),
}


def compile_module(source, target, include):
    subprocess.run([*COMPILE, f"-I{include}", "-o", str(target), str(source)], check=True)


def make_modules(work, preset):
    """A directory of good and bad modules."""
    modules = work / "modules"
    modules.mkdir()
    prefix = work / "prefix"
    subprocess.run(["cmake", "--install", str(ROOT / "build" / preset), "--component", "modules", "--prefix", str(prefix)], check=True,
                   stdout=subprocess.DEVNULL)
    include = prefix / "include" / "wandian"
    compile_module(ROOT / "procedures" / "examples" / "loyalty.cc", modules / "loyalty.so", include)
    for name, (text, _) in BAD.items():
        source = work / f"{name}.cc"
        source.write_text(text + "\n")
        compile_module(source, modules / f"{name}.so", include)
    shutil.copy(ROOT / "build" / preset / "modules" / "user_hotdog.so", modules)
    whole = (modules / "loyalty.so").read_bytes()
    (modules / "cut.so").write_bytes(whole[: len(whole) // 2])
    (modules / "stub.so").write_bytes(whole[:100])
    (modules / "text.so").write_text("this is not a shared object\n")
    (modules / "empty.so").write_bytes(b"")
    (modules / "directory.so").mkdir()
    os.mkfifo(modules / "fifo.so")
    return modules


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, holds):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED modules: {what}")

    def refused(self, db, statement, sqlstate):
        try:
            db.execute(statement)
            found = "no error"
        except psycopg.Error as error:
            found = error.sqlstate
        self.that(f"{statement}: {sqlstate} expected, {found} came", found == sqlstate)

    def gives(self, db, query, value):
        try:
            row = db.execute(query).fetchone()
            found = row[0] if row else "no row"
        except psycopg.Error as error:
            found = error
        self.that(f"{query}: {value!r} expected, {found!r} came", found == value)


def bad_modules(check, db):
    for name, (_, sqlstate) in BAD.items():
        check.refused(db, f"CREATE FUNCTION f(int) RETURNS int LANGUAGE C AS '{name}', 'f'", sqlstate)
        check.refused(db, f"CREATE EXTENSION {name}", sqlstate)
    for name in ("cut", "stub", "text", "empty", "directory", "fifo", "no_such_module"):
        check.refused(db, f"CREATE FUNCTION f(int) RETURNS int LANGUAGE C AS '{name}', 'f'", "58P01")
    for name in ("../modules/loyalty", "/etc/passwd", "", ".hidden"):
        check.refused(db, f"CREATE FUNCTION f(int) RETURNS int LANGUAGE C AS '{name}', 'f'", "42602")
    check.refused(db, "CREATE EXTENSION no_such_module", "0A000")
    check.refused(db, 'CREATE EXTENSION "../modules/loyalty"', "0A000")
    check.refused(db, "CREATE FUNCTION f(bigint, bigint) RETURNS bigint LANGUAGE C AS 'loyalty', 'no_such_procedure'", "42883")
    check.refused(db, "CREATE FUNCTION f(int) RETURNS bigint LANGUAGE C AS 'loyalty', 'loyalty_earn'", "42P13")
    check.gives(db, "SELECT count(*) FROM pg_proc WHERE proname = 'f'", 0)


def loyalty(check, db):
    db.execute("CREATE EXTENSION loyalty")
    check.gives(db, "SELECT extversion FROM pg_extension WHERE extname = 'loyalty'", "1.0")
    # As psql's \dx+ asks.
    members = db.execute("SELECT pg_describe_object(classid, objid, 0) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND refobjid = "
                         "(SELECT oid FROM pg_extension WHERE extname = 'loyalty') AND deptype = 'e' ORDER BY 1").fetchall()
    check.that(f"members of the extension: {members}", [name for name, in members] == [
        "function loyalty_earn(bigint,bigint)", "function loyalty_gift(bigint,bigint,bigint)", "function loyalty_spend(bigint,bigint)", "table members"])
    notices = []
    db.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    check.gives(db, "SELECT loyalty_earn(1, 1250)", 12)
    check.that(f"a notice says welcome: {notices}", notices == ["welcome, member 1"])
    check.gives(db, "SELECT loyalty_earn(1, 800)", 20)
    check.gives(db, "SELECT loyalty_spend(1, 5)", 15)
    check.refused(db, "SELECT loyalty_spend(1, 16)", "LY001")
    check.refused(db, "SELECT loyalty_spend(2, 1)", "LY002")
    check.refused(db, "SELECT loyalty_earn(1, -100)", "22023")
    for member in range(2, 20):
        check.gives(db, f"SELECT loyalty_earn({member}, 1000)", 10)
        check.gives(db, f"SELECT loyalty_gift({member}, {member - 1}, 3)", "")
    check.refused(db, "SELECT loyalty_gift(19, 1, 1000)", "LY001")
    check.refused(db, "SELECT loyalty_gift(19, 99, 1)", "LY002")
    check.gives(db, "SELECT sum(points)::int FROM members", 15 + 18 * 10)
    with db.transaction(force_rollback=True):
        check.gives(db, "SELECT loyalty_spend(3, 10)", 0)
    check.gives(db, "SELECT points FROM members WHERE member_id = 3", 10)
    db.execute("CREATE FUNCTION take(member bigint, points bigint) RETURNS bigint STRICT LANGUAGE C AS 'loyalty.so', 'loyalty_spend'")
    check.gives(db, "SELECT take(3, 4)", 6)
    check.gives(db, "SELECT take(NULL, 4)", None)
    # The same code over other tables of the same names.
    db.execute("CREATE SCHEMA other")
    db.execute("CREATE TABLE other.members (member_id bigint PRIMARY KEY, points bigint NOT NULL, name text)")
    db.execute("CREATE FUNCTION other.take(bigint, bigint) RETURNS bigint STRICT LANGUAGE C AS 'loyalty', 'loyalty_spend'")
    check.refused(db, "SELECT other.take(3, 1)", "LY002")
    check.gives(db, "SELECT take(3, 1)", 5)
    # Tables that have become others than the module knows.
    db.execute("CREATE FUNCTION other.earn(bigint, bigint) RETURNS bigint STRICT LANGUAGE C AS 'loyalty', 'loyalty_earn'")
    for change in ("ADD COLUMN more int", "DROP COLUMN more", "ALTER COLUMN name TYPE interval USING NULL", "DROP COLUMN name", "DROP COLUMN points"):
        db.execute(f"ALTER TABLE other.members {change}")
        check.refused(db, "SELECT other.earn(1, 100)", "42804")
    check.refused(db, "SELECT other.take(1, 100)", "42804")
    db.execute("DROP TABLE other.members")
    check.refused(db, "SELECT other.earn(1, 100)", "42P01")
    db.execute("CREATE TABLE other.members (member_id text PRIMARY KEY, points bigint NOT NULL, name text)")
    check.refused(db, "SELECT other.earn(1, 100)", "42804")


def users_hotdog(check, db):
    db.execute("CREATE EXTENSION hotdog")
    db.execute("CREATE EXTENSION user_hotdog")
    db.execute("INSERT INTO stores VALUES (1, 'north', 'first')")
    db.execute("INSERT INTO menu VALUES (1, 'hot dog', 900)")
    check.gives(db, "SELECT user_restock(1, 1, 5)", 5)
    check.gives(db, "SELECT user_place_order(1, 7, 1, ARRAY[1], ARRAY[2])", 1)
    check.gives(db, "SELECT user_pay_order(1, 1, 1, 1800)", 1800)
    check.gives(db, "SELECT quantity FROM stock", 3)
    check.refused(db, "SELECT user_place_order(1, 7, 2, ARRAY[1], ARRAY[4])", "HD001")


def not_a_superuser(check, server):
    with psycopg.connect(server.url, autocommit=True) as db:
        db.execute("CREATE ROLE clerk LOGIN")
    with psycopg.connect(server.url.replace("wandian@", "clerk@"), autocommit=True) as db:
        check.refused(db, "CREATE FUNCTION f(bigint, bigint) RETURNS bigint LANGUAGE C AS 'loyalty', 'loyalty_earn'", "42501")
        check.refused(db, "CREATE EXTENSION loyalty", "42501")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="release")
    options = parser.parse_args()
    check = Checks()
    with servers.work_dir("modules") as work:
        modules = make_modules(work, options.preset)
        server = servers.Wandian(work, preset=options.preset, options=["--module-dir", str(modules)])
        try:
            server.start()
            with psycopg.connect(server.url, autocommit=True) as db:
                for part in (bad_modules, loyalty, users_hotdog):
                    try:
                        part(check, db)
                    except psycopg.Error:
                        check.that(f"{part.__name__} ran to its end", False)
                        traceback.print_exc()
            not_a_superuser(check, server)
            server.stop()
            server.start()
            with psycopg.connect(server.url, autocommit=True) as db:
                check.gives(db, "SELECT loyalty_earn(1, 100)", 19)
                check.gives(db, "SELECT take(3, 1)", 4)
            # A module that has gone: its functions say so, the rest goes on.
            server.stop()
            (modules / "loyalty.so").unlink()
            server.start()
            with psycopg.connect(server.url, autocommit=True) as db:
                check.refused(db, "SELECT loyalty_earn(1, 100)", "58P01")
                check.gives(db, "SELECT user_place_order(1, 7, 3, ARRAY[1], ARRAY[1])", 2)
            server.stop()
        finally:
            server.kill()
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
