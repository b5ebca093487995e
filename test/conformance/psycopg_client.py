"""What a Python program does with psycopg in a day; prints what it saw as JSON.

Run straight at the server and through Holdpoint by psycopg.test.ts; the two have to be the same.
"""

import datetime
import json
import logging
import sys
import threading
from decimal import Decimal

import psycopg
from psycopg.rows import tuple_row


# It warns of errors that it overrides by another; both are seen below.
logging.getLogger("psycopg").setLevel(logging.ERROR)


def error(run):
    try:
        run()
    except psycopg.Error as e:
        d = e.diag
        return [d.severity, d.sqlstate, d.message_primary, d.message_detail, d.statement_position, d.constraint_name]
    return None


def types(conn, binary):
    values = (7, "żółw", Decimal("1.50"), datetime.datetime.fromtimestamp(0, datetime.timezone.utc), b"\x00\xff", [1, 2])
    cursor = conn.cursor(binary=binary)
    return cursor.execute("SELECT %s::int, %s::text, %s::numeric, %s::timestamptz, %s::bytea, %s::int[]", values).fetchall()


def copy_both_ways(conn):
    with conn.transaction():
        conn.execute("CREATE TEMP TABLE copied (n int, t text) ON COMMIT DROP")
        with conn.cursor().copy("COPY copied FROM STDIN") as copy:
            for n in range(2000):
                copy.write_row((n, f"row {n}"))
        with conn.cursor().copy("COPY (SELECT * FROM copied ORDER BY n) TO STDOUT (FORMAT BINARY)") as copy:
            return sum(len(chunk) for chunk in copy)


def copy_given_up(conn):
    def run():
        with conn.cursor().copy("COPY orders FROM STDIN") as copy:
            copy.write("not a row\n")
            raise KeyboardInterrupt
    try:
        run()
    except KeyboardInterrupt:
        pass
    return conn.info.transaction_status.name


def pipelined(conn):
    with conn.pipeline():
        cursors = [conn.execute("SELECT %s::int * 2", (n,)) for n in range(50)]
        return [c.fetchone()[0] for c in cursors]


def pipeline_with_error(conn):
    def run():
        with conn.pipeline():
            conn.execute("SELECT %s::int", (1,))
            conn.execute("SELECT 1 / %s::int", (0,))
            conn.execute("SELECT %s::int", (3,))
    return [error(run), conn.execute("SELECT 'usable again'").fetchone()]


def server_side_cursor(conn):
    with conn.transaction(), conn.cursor("named") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT id FROM orders WHERE id <= %s ORDER BY id", (350,))
        return sum(row[0] for row in cursor)


def prepared(conn):
    query = "SELECT total FROM orders WHERE id = %s"
    return [conn.execute(query, (n,), prepare=True).fetchone() for n in range(1, 12)]


def transactions(conn):
    seen = []
    with conn.transaction():
        seen.append(error(lambda: nested(conn)))
        seen.append(conn.execute("SELECT count(*) FROM orders").fetchone())
    seen.append(error(lambda: conn.execute("SELECT nonsense FROM orders")))
    return seen


def nested(conn):
    with conn.transaction():
        conn.execute("INSERT INTO orders VALUES (1, 1, now(), 'open', 1)")


def notices(conn):
    heard = []
    conn.add_notice_handler(lambda d: heard.append([d.severity, d.message_primary]))
    conn.execute("DO $$ BEGIN RAISE NOTICE 'noted'; END $$")
    conn.execute("LISTEN doorbell")
    conn.execute("SELECT pg_notify('doorbell', 'ding')")
    for n in conn.notifies(timeout=10, stop_after=1):
        heard.append([n.channel, n.payload])
    return heard


def cancelled(conn):
    threading.Timer(0.5, conn.cancel_safe).start()
    return error(lambda: conn.execute("SELECT pg_sleep(30)"))


def main(url):
    with psycopg.connect(url, autocommit=True, row_factory=tuple_row, connect_timeout=10) as conn:
        return {
            "types in text": types(conn, False),
            "types in binary": types(conn, True),
            "executemany": [
                c.fetchall() for c in [conn.cursor()] if c.executemany("SELECT %s::int", [(1,), (2,)], returning=True) is None
            ],
            "prepared": prepared(conn),
            "a server-side cursor": server_side_cursor(conn),
            "COPY both ways": copy_both_ways(conn),
            "COPY given up": copy_given_up(conn),
            "a pipeline": pipelined(conn),
            "a pipeline with an error": pipeline_with_error(conn),
            "transactions": transactions(conn),
            "notices": notices(conn),
            "cancelled": cancelled(conn),
            "the session at the end": [conn.info.transaction_status.name, conn.info.parameter_status("client_encoding")],
        }


print(json.dumps(main(sys.argv[1]), default=str))
