#!/usr/bin/python3
"""psql's commands against a server: psql_script.py --url postgresql://... [--record]

Each line of psql/commands.txt is a case: what psql prints for it must be what psql/expected.txt holds, which was recorded
from PostgreSQL 15 with --record. Sizes, times and widths of columns do not count, nor do names of user, database and host.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

HERE = pathlib.Path(__file__).resolve().parent / "psql"
EXPECTED = HERE / "expected.txt"
MARK = "@@ "


def commands():
    lines = (HERE / "commands.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def psql(url, work, script):
    return subprocess.run(["psql", "-X", "-q", "-d", url, "-v", "VERBOSITY=default", "-P", "pager=off"], input=script, cwd=work, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, env={"PATH": "/usr/bin:/bin", "PGCLIENTENCODING": "UTF8",
                                                                                            "LANG": "C.UTF-8"}).stdout


def comparable(text, url):
    """What of psql's output counts."""
    where = urlsplit(url)
    database, user = where.path.strip("/"), where.username
    text = text.replace(f'database "{database}"', 'database "DATABASE"').replace(f'user "{user}"', 'user "USER"')
    text = re.sub(r'on host ".*?"( \(address ".*?"\))? at port ".*?"', "on HOST", text)
    text = re.sub(r"\b\d+(\.\d+)? (bytes|kB|MB)", "SIZE", text)
    text = re.sub(r"Time: .*", "Time: T", text)
    text = re.sub(r"LOCATION: .*\n", "", text)
    text = re.sub(rf"(?<=\| ){re.escape(user)}(?= |$)", "USER", text, flags=re.MULTILINE).replace("C.UTF-8", "C")
    text = re.sub(rf"^ {re.escape(database)} \|", " DATABASE |", text, flags=re.MULTILINE)
    lines = [re.sub(r"-{2,}", "-", re.sub(r" {2,}", " ", line)).strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line)


def answers(url):
    """The output of every command, in order, as (command, output)."""
    with tempfile.TemporaryDirectory(prefix="wandian-psql-") as work:
        pathlib.Path(work, "copy.txt").write_text("3\n1\n2\n")
        made = psql(url, work, (HERE / "setup.sql").read_text())
        if made:
            raise SystemExit(f"the tables could not be made:\n{made}")
        script = ["SET search_path = psql_shop;"]
        for number, command in enumerate(commands()):
            script += [f"\\echo {MARK}{number}", command.removeprefix("?")]
        output = psql(url, work, "\n".join(script) + "\n")
        psql(url, work, "SET client_min_messages = warning;\nDROP SCHEMA psql_shop CASCADE;\n")
    blocks = {}
    for block in output.split(MARK)[1:]:
        number, _, body = block.partition("\n")
        blocks[int(number)] = comparable(body, url)
    return [(command, blocks.get(number, "(psql ended before it)")) for number, command in enumerate(commands())]


def recorded():
    out = {}
    for block in EXPECTED.read_text().split(MARK)[1:]:
        command, _, body = block.partition("\n")
        out[command] = body.strip("\n")
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--record", action="store_true", help="write psql/expected.txt from this server, a PostgreSQL 15")
    options = parser.parse_args()
    given = answers(options.url)
    if options.record:
        EXPECTED.write_text("".join(f"{MARK}{command}\n{body}\n" for command, body in given if not command.startswith("?")))
        return 0
    expected = recorded()
    failed = 0
    for command, body in given:
        if command.startswith("?"):
            bad = re.search(r"^(psql:)?.*(ERROR|FATAL|error):|ended before it", body, re.MULTILINE)
            wanted = "no error"
        else:
            bad, wanted = body != expected.get(command), expected.get(command, "(never recorded)")
        if bad:
            failed += 1
            print(f"FAILED psql: {command}\n--- expected\n{wanted}\n--- got\n{body}\n---")
    print(f"psql: {len(given) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
