"""Everything that psycopg does differently from the others, against the URL given; what it saw, as JSON."""

import json
import sys

import psycopg
from psycopg import sql

seen = []


def note(name, value):
    seen.append([name, value])


def attempt(name, work):
    try:
        note(name, work())
    except psycopg.Error as error:
        note(name, [type(error).__name__, error.sqlstate, str(error).splitlines()[0]])


with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    conn.execute("drop table if exists py; create table py (id int primary key, v text, b bytea)")
    note("simple", conn.execute("select 1, 'x', null").fetchall())
    note("parameters", conn.execute("select %s::int + 1, %s::text", (41, "ü")).fetchall())
    for i in range(8):
        conn.execute("insert into py values (%s, %s, %s)", (i, str(i), b"\0\1\2"), prepare=True)
    note("binary", conn.cursor(binary=True).execute("select id, v, b from py order by id limit 2").fetchall()[0][1])
    with conn.cursor() as cur:
        cur.executemany("insert into py values (%s, %s, null)", [(i, "many") for i in range(100, 400)])
        note("many", cur.rowcount)
    with conn.pipeline():
        cursors = [conn.execute("select %s::int", (i,)) for i in range(20)]
        note("pipeline", [cursor.fetchone()[0] for cursor in cursors])
    attempt("error", lambda: conn.execute("select 1/0").fetchall())
    attempt("syntax", lambda: conn.execute("selec 1").fetchall())

    def broken_pipeline():
        with conn.pipeline():
            conn.execute("insert into py values (1000, 'in', null)")
            conn.execute("insert into py values (1000, 'twice', null)")
            conn.execute("insert into py values (1001, 'never', null)")

    attempt("broken pipeline", broken_pipeline)
    note("after it", conn.execute("select id from py where id >= 1000").fetchall())
    with conn.transaction():
        with conn.cursor("named") as cur:
            cur.itersize = 7
            cur.execute("select id from py order by id")
            note("server cursor", [row[0] for row in cur][:20])
    with conn.cursor() as cur:
        with cur.copy("copy py (id, v) from stdin") as copy:
            for i in range(2000, 2100):
                copy.write_row((i, "copied"))
        note("copied", cur.rowcount)
        with cur.copy("copy (select id, v from py where id >= 2000 order by id limit 3) to stdout") as copy:
            note("copy out", [row for row in copy.rows()])

    def failing_copy():
        with conn.cursor() as cur:
            with cur.copy("copy py (id, v) from stdin") as copy:
                copy.write("not a number\tx\n")

    attempt("failing copy", failing_copy)
    with conn.transaction(force_rollback=True):
        conn.execute(sql.SQL("delete from {}").format(sql.Identifier("py")))
    note("rolled back", conn.execute("select count(*) > 0 from py").fetchone())
    if len(sys.argv) > 2:
        attempt("denied", lambda: conn.execute("select 'forbidden'").fetchall())
        attempt("denied with parameters", lambda: conn.execute("select %s::text, 'forbidden'", ("x",)).fetchall())
        note("next", conn.execute("select %s::int", (7,)).fetchall())
    note("status", conn.info.transaction_status.name)

print(json.dumps(seen, default=str))
