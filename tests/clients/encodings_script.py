#!/usr/bin/python3
"""Clients that do not speak UTF-8: statements, parameters, rows, errors, COPY in every encoding (psycopg 3)."""

import sys

import psycopg
from psycopg import pq

from cases import Cases

case = Cases("encodings")
TABLE = "client_encodings"

# PostgreSQL's name, Python's, and a text that both can write.
TEXTS = [("EUC_JP", "euc_jp", "日本語テキスト ｶﾅ"), ("EUC_CN", "gb2312", "万店简体"), ("EUC_KR", "euc_kr", "한국어 텍스트"),
         ("SJIS", "shift_jis", "日本語表示 ｶﾅ 能ソ"), ("BIG5", "big5", "繁體中文功許蓋"), ("GBK", "gbk", "万店繁體丂乗"),
         ("UHC", "cp949", "한국어 똠방각하 펲시콜라"), ("GB18030", "gb18030", "万店 ḿ 😀 㐀 é"), ("LATIN1", "latin-1", "éÿñ£"), ("LATIN2", "iso8859-2", "łŻě"),
         ("LATIN3", "iso8859-3", "ħĜ"), ("LATIN4", "iso8859-4", "ąĸ"), ("LATIN5", "iso8859-9", "ğİş"), ("LATIN6", "iso8859-10", "ąŋ"),
         ("LATIN7", "iso8859-13", "ąčę"), ("LATIN8", "iso8859-14", "ŵŷ"), ("LATIN9", "iso8859-15", "€œŽ"), ("LATIN10", "iso8859-16", "șț€"),
         ("WIN1250", "cp1250", "łŻ€"), ("WIN1251", "cp1251", "Привет"), ("WIN1252", "cp1252", "€é’"), ("WIN1253", "cp1253", "Ελλάδα"),
         ("WIN1254", "cp1254", "ğİ€"), ("WIN1255", "cp1255", "שלום"), ("WIN1256", "cp1256", "سلام"), ("WIN1257", "cp1257", "ąčę"),
         ("WIN1258", "cp1258", "đ₫ư"), ("WIN866", "cp866", "Привет"), ("WIN874", "cp874", "ไทย"), ("KOI8R", "koi8-r", "Привет"),
         ("KOI8U", "koi8-u", "їєґ"), ("ISO_8859_5", "iso8859-5", "Привет"), ("ISO_8859_6", "iso8859-6", "سلام"),
         ("ISO_8859_7", "iso8859-7", "Ελλάδα"), ("ISO_8859_8", "iso8859-8", "שלום")]


def raw(db, statement, parameters=None, formats=None, result_format=pq.Format.TEXT):
    """A statement of bytes, and what came of it: rows of bytes, or (SQLSTATE, message)."""
    if parameters is None:
        result = db.pgconn.exec_(statement)
    else:
        result = db.pgconn.exec_params(statement, parameters, None, formats, result_format)
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return result.error_field(pq.DiagnosticField.SQLSTATE).decode(), result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY)
    return [tuple(result.get_value(r, c) for c in range(result.nfields)) for r in range(result.ntuples)]


def speaking(db, name):
    assert raw(db, f"SET client_encoding = '{name}'".encode()) == []


@case
def texts_come_and_go_in_every_encoding(db):
    for name, codec, text in TEXTS:
        speaking(db, name)
        assert db.pgconn.parameter_status(b"client_encoding") == name.encode()
        there = text.encode(codec)
        assert raw(db, b"SELECT '" + there + b"', pg_client_encoding()") == [(there, name.encode())], name
        assert raw(db, b"SELECT octet_length('" + there + b"'), length('" + there + b"')") == [
            (str(len(text.encode())).encode(), str(len(text)).encode())], name
        for form in (pq.Format.TEXT, pq.Format.BINARY):
            for back in (pq.Format.TEXT, pq.Format.BINARY):
                assert raw(db, b"SELECT $1::text, $1::varchar", [there], [form], back) == [(there, there)], (name, form, back)
        assert raw(db, b"SELECT ARRAY['" + there + b"', 'b']::text[]", [], None)[0][0] == b'{' + (
            b'"' + there + b'"' if " " in text else there) + b',b}', name
        assert there in raw(db, b"SELECT ARRAY['" + there + b"']::text[]", [], None, pq.Format.BINARY)[0][0], name
        assert raw(db, b"SELECT ('[\"" + there + b"\"]'::jsonb) ->> 0", [], None, pq.Format.BINARY) == [(there,)], name
        assert raw(db, b"SELECT jsonb '[\"" + there + b"\"]'", [], None, pq.Format.BINARY) == [(b"\x01[\"" + there + b"\"]",)], name
    speaking(db, "UTF8")


@case
def names_and_errors_are_in_it_too(db):
    for name, codec, text in TEXTS:
        speaking(db, name)
        there = text.encode(codec)
        result = db.pgconn.exec_(b'SELECT 1 AS "' + there + b'"')
        assert result.fname(0) == there, name
        assert raw(db, b"SELECT '" + there + b"'::int") == ("22P02", b'invalid input syntax for type integer: "' + there + b'"'), name
        statement = f"{name} ".encode() + there
        result = db.pgconn.prepare(statement, b"SELECT 1", None)
        assert result.status == pq.ExecStatus.COMMAND_OK
        result = db.pgconn.prepare(statement, b"SELECT 1", None)
        assert result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) == b'prepared statement "' + statement + b'" already exists'
        assert db.pgconn.exec_prepared(statement, None).status == pq.ExecStatus.TUPLES_OK
        result = db.pgconn.exec_(b"SELECT '" + there + b"', no_such_column")
        assert result.error_field(pq.DiagnosticField.STATEMENT_POSITION) == str(len(text) + 12).encode(), name
    speaking(db, "UTF8")
    db.execute("DEALLOCATE ALL")


@case
def what_is_not_of_the_encoding_is_refused(db):
    no_equivalent = b'character with byte sequence %s in encoding "%s" has no equivalent in encoding "%s"'
    invalid = b'invalid byte sequence for encoding "%s": %s'
    for name, text, wanted in (
            (b"GBK", b"\x81\x20", ("22P05", no_equivalent % (b"0x81 0x20", b"GBK", b"UTF8"))),
            (b"GBK", b"\xff\xff", ("22P05", no_equivalent % (b"0xff 0xff", b"GBK", b"UTF8"))),
            (b"WIN1252", b"\x81", ("22P05", no_equivalent % (b"0x81", b"WIN1252", b"UTF8"))),
            (b"EUC_JP", b"\x8f\xa1\x20", ("22021", invalid % (b"EUC_JP", b"0x8f 0xa1 0x20"))),
            (b"EUC_JP", b"\x80\x20", ("22021", invalid % (b"EUC_JP", b"0x80 0x20"))),
            (b"EUC_KR", b"\xa1\x20", ("22021", invalid % (b"EUC_KR", b"0xa1 0x20"))),
            (b"SJIS", b"\x81\x20", ("22021", invalid % (b"SJIS", b"0x81 0x20"))),
            (b"SJIS", b"\xa0\x40", ("22021", invalid % (b"SJIS", b"0xa0 0x40"))),
            (b"BIG5", b"\xff\x40", ("22P05", no_equivalent % (b"0xff 0x40", b"BIG5", b"UTF8"))),
            (b"GB18030", b"\x81\x30\x20\x20", ("22021", invalid % (b"GB18030", b"0x81 0x30 0x20 0x20"))),
            (b"GB18030", b"\xe3\x32\x9a\x36", ("22P05", no_equivalent % (b"0xe3 0x32 0x9a 0x36", b"GB18030", b"UTF8"))),
            (b"GB18030", b"\x80\x40", ("22021", invalid % (b"GB18030", b"0x80 0x40"))),
            (b"UHC", b"\x81\x20", ("22P05", no_equivalent % (b"0x81 0x20", b"UHC", b"UTF8"))),
            (b"LATIN3", b"\xa5", ("22P05", no_equivalent % (b"0xa5", b"LATIN3", b"UTF8")))):
        speaking(db, name.decode())
        assert raw(db, b"SELECT '" + text + b" '") == wanted, (name, text, raw(db, b"SELECT '" + text + b" '"))
        for form in (pq.Format.TEXT, pq.Format.BINARY):
            assert raw(db, b"SELECT $1::text", [text], [form]) == wanted, (name, text)
    speaking(db, "GBK")
    assert raw(db, b"SELECT $1::text", [b"\x81"], [pq.Format.TEXT]) == ("22021", invalid % (b"GBK", b"0x81"))
    for name, text in (("LATIN1", "万"), ("GBK", "😀"), ("KOI8R", "é"), ("SJIS", "é")):
        speaking(db, name)
        bytes_of = " ".join(f"0x{b:02x}" for b in text.encode())
        wanted = ("22P05", no_equivalent % (bytes_of.encode(), b"UTF8", name.encode()))
        character = "U&'\\+%06X'" % ord(text)
        assert raw(db, f"SELECT {character}".encode()) == wanted
        assert raw(db, f"SELECT {character}".encode(), [], None, pq.Format.BINARY) == wanted
        assert raw(db, f"SELECT {character}::int".encode()) == wanted, "of an error's message, too"
        assert raw(db, b"SELECT 1") == [(b"1",)]
    speaking(db, "UTF8")


@case
def an_error_speaks_as_the_client_did(db):
    def message(text):
        return raw(db, text)[1]
    wanted = 'invalid input syntax for type integer: "ё№"'.encode("iso8859-5")
    statement = "SELECT 'ё№'::int".encode("iso8859-5")
    assert raw(db, b"BEGIN") == [] and raw(db, b"SET client_encoding = 'ISO_8859_5'") == []
    assert message(statement) == wanted, "though the rollback brings UTF-8 back"
    assert db.pgconn.parameter_status(b"client_encoding") == b"UTF8"
    assert raw(db, b"ROLLBACK") == []
    assert raw(db, b"BEGIN; SAVEPOINT s; SET client_encoding = 'ISO_8859_5'") == []
    assert raw(db, statement, []) == ("22P02", wanted)
    assert message("SELECT 'ё'".encode()).startswith(b"current transaction is aborted")
    assert raw(db, b"ROLLBACK") == []
    speaking(db, "ISO_8859_5")
    assert raw(db, b"BEGIN") == [] and raw(db, b"SET LOCAL client_encoding = 'UTF8'") == []
    assert message("SELECT 'ё№'::int".encode()) == 'invalid input syntax for type integer: "ё№"'.encode()
    assert message(statement.replace(b"::int", b"")).startswith(b"current transaction is aborted")
    assert raw(db, b"ROLLBACK") == []
    assert message(statement) == wanted
    speaking(db, "UTF8")


@case
def bytes_that_are_no_text_come_before_all_else(db):
    def refused(statement, parameters=None):
        send = db.pgconn.exec_ if parameters is None else lambda text: db.pgconn.exec_params(text, parameters)
        result = send(statement)
        field = lambda name: result.error_field(name)
        assert field(pq.DiagnosticField.STATEMENT_POSITION) is None, statement
        assert field(pq.DiagnosticField.SQLSTATE) == b"22021", (statement, field(pq.DiagnosticField.MESSAGE_PRIMARY))
        return field(pq.DiagnosticField.MESSAGE_PRIMARY).removeprefix(b'invalid byte sequence for encoding "UTF8": ')
    places = (b"SELECT '%s'", b"SELECT 1 AS %s", b'SELECT 1 AS "%s"', b"SELECT 1 /* %s */", b"SELECT 1 -- %s", b"%s", b"SELECT nosuch, '%s", b"BEGIN; SELECT 1 AS a%s")
    shown = ((b"\x83", b"0x83"), (b"\xe2\x82'", b"0xe2 0x82 0x27"), (b"\xc3 x", b"0xc3 0x20"), (b"\xf0\x9f\x98 ", b"0xf0 0x9f 0x98 0x20"),
             (b"\xff ", b"0xff"), (b"\xed\xa0\x80", b"0xed 0xa0 0x80"), (b"\xc0\x80", b"0xc0 0x80"), (b"\xf8\x88\x80\x80\x80", b"0xf8"))
    for block in (b"ROLLBACK", b"BEGIN; SELECT 1", b"BEGIN; SELECT 1/0"):
        for bytes_, wanted in shown:
            for place in places:
                for parameters in (None, []):
                    raw(db, block)
                    assert refused(place.replace(b"%s", bytes_), parameters) == wanted, (block, place, bytes_)
                    raw(db, b"ROLLBACK")
    assert refused(b"SELECT 'abc\xe2\x82") == b"0xe2 0x82", "cut off"
    for name in (b"a\x83", b"\xe2\x82"):
        for result in (db.pgconn.prepare(name, b"SELECT 1"), db.pgconn.exec_prepared(name, None), db.pgconn.describe_prepared(name),
                       db.pgconn.describe_portal(name)):
            assert result.error_field(pq.DiagnosticField.SQLSTATE) == b"22021", name
    speaking(db, "SQL_ASCII")
    assert refused(b"SELECT 1 AS \x83") == b"0x83", "even of who says nothing of an encoding"
    assert raw(db, "SELECT 'é'".encode()) == [("é".encode(),)]
    speaking(db, "UTF8")


@case
def the_setting_keeps_to_transactions(db):
    def execute(text):
        assert raw(db, text.encode()) in ([], [(b"GB18030",)]), text

    def now():
        return db.pgconn.parameter_status(b"client_encoding"), raw(db, b"SELECT U&'\\00E9'")[0][0]
    execute("BEGIN; SET LOCAL client_encoding = 'latin1'")
    assert now() == (b"LATIN1", b"\xe9")
    execute("COMMIT")
    assert now() == (b"UTF8", b"\xc3\xa9")
    execute("BEGIN; SET client_encoding = 'win1252'; SAVEPOINT s; SET client_encoding = 'koi8r'; ROLLBACK TO s")
    assert now() == (b"WIN1252", b"\xe9")
    execute("ROLLBACK")
    assert now() == (b"UTF8", b"\xc3\xa9")
    execute("SET NAMES 'iso-8859-15'")
    assert now() == (b"LATIN9", b"\xe9")
    execute("RESET client_encoding")
    assert now() == (b"UTF8", b"\xc3\xa9")
    execute("SELECT set_config('client_encoding', 'gb18030', false)")
    assert now() == (b"GB18030", "é".encode("gb18030"))
    execute("SET client_encoding = 'Unicode'")
    assert now() == (b"UTF8", b"\xc3\xa9")
    execute("SET client_encoding = 'UNICODE'")
    assert now() == (b"UNICODE", b"\xc3\xa9")
    execute("SET client_encoding = 'utf-8'")
    for name, state in (("mule_internal", "0A000"), ("latin11", "22023")):
        assert raw(db, f"SET client_encoding = '{name}'".encode())[0] == state


@case
def it_may_be_asked_for_at_the_start(db):
    for name, codec, text in TEXTS:
        with psycopg.connect(URL, client_encoding=name, autocommit=True) as other:
            assert other.pgconn.parameter_status(b"client_encoding") == name.encode()
            assert raw(other, b"SELECT '" + text.encode(codec) + b"'") == [(text.encode(codec),)]
    try:
        psycopg.connect(URL, options="-c client_encoding=nonsense")
    except psycopg.OperationalError as error:
        assert 'invalid value for parameter "client_encoding": "nonsense"' in str(error)
    else:
        raise AssertionError("it was accepted")


@case
def copy_converts_lines_and_binary_fields(db):
    db.execute(f"DROP TABLE IF EXISTS {TABLE}")
    db.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, t text)")
    for name, codec, text in TEXTS:
        speaking(db, name)
        there = text.encode(codec)
        for options, line in (("", b"1\t" + there + b"\\\\x\n2\t\\N\n"), (" (FORMAT csv)", b'1,"' + there + b'""x"\n2,\n')):
            db.execute(f"DELETE FROM {TABLE}")
            with db.cursor().copy(f"COPY {TABLE} FROM STDIN{options}") as copy:
                for byte in line:                    # a character may come in pieces
                    copy.write(bytes([byte]))
            got = raw(db, f"SELECT t FROM {TABLE} ORDER BY id".encode())
            assert got == [(there + (b"\\x" if not options else b'"x'),), (None,)], (name, options, got)
            with db.cursor().copy(f"COPY (SELECT * FROM {TABLE} ORDER BY id) TO STDOUT{options}") as copy:
                assert b"".join(bytes(piece) for piece in copy) == line, (name, options)
        with db.cursor().copy(f"COPY (SELECT * FROM {TABLE} ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
            everything = b"".join(bytes(piece) for piece in copy)
        assert there in everything
        db.execute(f"DELETE FROM {TABLE}")
        with db.cursor().copy(f"COPY {TABLE} FROM STDIN (FORMAT binary)") as copy:
            copy.write(everything)
        assert raw(db, f"SELECT count(*) FROM {TABLE} WHERE t LIKE '".encode() + there + b"%'") == [(b"1",)], name
    speaking(db, "UTF8")


@case
def copy_may_name_an_encoding(db):
    db.execute(f"DELETE FROM {TABLE}")
    with db.cursor().copy(f"COPY {TABLE} FROM STDIN (ENCODING 'gbk')") as copy:
        copy.write("1\t万店\n".encode("gbk"))
    assert db.execute(f"SELECT t FROM {TABLE}").fetchone() == ("万店",)
    speaking(db, "GBK")
    with db.cursor().copy(f"COPY {TABLE} TO STDOUT (ENCODING 'UTF8')") as copy:
        assert b"".join(bytes(piece) for piece in copy) == "1\t万店\n".encode()
    speaking(db, "UTF8")
    try:
        with db.cursor().copy(f"COPY {TABLE} TO STDOUT (ENCODING 'latin1')") as copy:
            list(copy)
    except psycopg.Error as error:
        assert "has no equivalent in encoding" in str(error)
    else:
        raise AssertionError("it was accepted")
    case.refused("22023", lambda: db.execute(f"COPY {TABLE} TO STDOUT (ENCODING 'nonsense')"))

    def bad():
        with db.cursor().copy(f"COPY {TABLE} FROM STDIN (ENCODING 'euc_kr')") as copy:
            copy.write(b"2\tgood\n3\tb\xa1\x20d\n")
    try:
        bad()
    except psycopg.Error as error:
        assert error.sqlstate == "22021" and error.diag.context == f"COPY {TABLE}, line 2", (error.sqlstate, error.diag.context)
    else:
        raise AssertionError("it was accepted")
    assert db.execute(f"SELECT count(*) FROM {TABLE}").fetchone() == (1,)
    db.execute(f"DROP TABLE {TABLE}")


@case
def notifications_and_notices_are_converted(db):
    speaking(db, "LATIN1")
    came = []
    db.add_notify_handler(lambda one: came.append((one.channel, one.payload)))
    raw(db, b'LISTEN "\xe9"')
    db.execute("SELECT 1")
    assert raw(db, b"NOTIFY \"\xe9\", '\xfc'") == []
    db.execute("SELECT 1")
    while (one := db.pgconn.notifies()) is not None:
        came.append((one.relname.decode("latin-1"), one.extra.decode("latin-1")))
    assert came == [("é", "ü")], came
    db.execute("UNLISTEN *")
    notices = []
    db.pgconn.notice_handler = lambda result: notices.append(result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY))
    raw(db, b'DROP TABLE IF EXISTS "\xe9"')
    assert notices == [b'table "\xe9" does not exist, skipping'], notices
    speaking(db, "UTF8")


def main():
    global URL
    URL = case.url()
    with psycopg.connect(URL, autocommit=True) as db:
        return case.run(db)


if __name__ == "__main__":
    sys.exit(main())
