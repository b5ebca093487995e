-- What psql does in a day. Run straight at the server and through Holdpoint; the two transcripts have to be the same.
\set VERBOSITY verbose
\set SHOW_CONTEXT always
\pset null '(null)'
\encoding
SHOW server_version;
SHOW standard_conforming_strings;
SELECT id, status, total FROM orders WHERE customer_id = 42 ORDER BY id;
SELECT 1 AS one \; SELECT 2 AS two \; SELECT 'three' AS three;
SELECT NULL::text, ''::text, 'żółw 🐢', E'tab\tquote''', '{1,2}'::int[], '{"a":1}'::jsonb, '\xdeadbeef'::bytea;
SELECT id, name, country FROM customers WHERE id < 4 \gdesc
SELECT id, name, country FROM customers WHERE id < 4 ORDER BY id \gx
SELECT;
;
-- Errors: the fields, the position, the state of the transaction after them.
SELECT nonsense FROM orders;
SELECT 1 / 0;
SELEC 1;
BEGIN;
SELECT count(*) FROM orders;
SELECT 1 / 0;
SELECT 'refused in a failed transaction';
ROLLBACK;
BEGIN;
SAVEPOINT s;
INSERT INTO orders VALUES (1, 1, now(), 'open', 1);
ROLLBACK TO SAVEPOINT s;
SELECT 'still alive';
COMMIT;
BEGIN;
SELECT 1/0;
COMMIT;
BEGIN READ ONLY;
CREATE TABLE refused (n int);
ROLLBACK;
-- Notices, and settings that the server reports back.
DO $$ BEGIN RAISE NOTICE 'noted %', 7 USING HINT = 'a hint'; RAISE WARNING 'warned'; END $$;
SET application_name = 'conformance';
SET TimeZone = 'Europe/Berlin';
SELECT timestamptz '2026-07-01 12:00:00+00';
RESET TimeZone;
-- Prepared statements and cursors.
PREPARE by_id (int) AS SELECT id, total FROM orders WHERE id = $1;
EXECUTE by_id(1);
EXECUTE by_id(8000);
DEALLOCATE by_id;
EXECUTE by_id(1);
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id;
FETCH 3 FROM c;
MOVE 100 IN c;
FETCH 2 FROM c;
CLOSE c;
COMMIT;
\set FETCH_COUNT 500
SELECT id FROM orders WHERE id <= 1200 ORDER BY id;
\unset FETCH_COUNT
-- COPY in both directions, with an error in the middle of one.
CREATE TEMP TABLE copied (n int, t text);
COPY copied FROM STDIN;
1	one
2	\N
3	with\ttab
\.
COPY copied FROM STDIN WITH (FORMAT csv, HEADER);
n,t
4,"quoted, with comma"
\.
COPY copied FROM STDIN;
5	five
six	6
\.
COPY copied TO STDOUT;
COPY (SELECT id, status FROM orders WHERE id <= 5 ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER);
\copy (SELECT n FROM copied ORDER BY n) TO STDOUT
\copy copied FROM PSTDIN
SELECT * FROM copied ORDER BY n;
DROP TABLE copied;
-- What psql asks of the catalogue for its own commands.
\d orders
\dt
\dv+
\du agent
\df nothing
\conninfo_is_not_a_command
SELECT md5(string_agg(o::text, ',' ORDER BY id)) AS all_rows FROM orders o;
SELECT id, customer_id, status, total FROM orders ORDER BY id;
