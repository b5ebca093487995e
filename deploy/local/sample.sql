-- Sample data for trying Holdpoint: a small shop. Everything in it is made up, and the same on every machine.
-- Loaded once, in one transaction, when the embedded PostgreSQL is created. A semicolon followed by an empty line ends
-- a command, inside a function body too.

-- The agent may do anything here, on purpose: what stops it is Holdpoint. Elsewhere, give an agent the least it needs.
CREATE ROLE agent LOGIN PASSWORD 'agent';
GRANT USAGE, CREATE ON SCHEMA public TO agent;
SET LOCAL ROLE agent;

CREATE TABLE customers (
  id         integer PRIMARY KEY,
  name       text NOT NULL,
  email      text NOT NULL UNIQUE,
  phone      text NOT NULL,
  country    char(2) NOT NULL,
  plan       text NOT NULL CHECK (plan IN ('free', 'team', 'business')),
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE customers IS 'People who buy from the shop. Personal data.';
COMMENT ON COLUMN customers.email IS 'Where receipts go; the name they sign in with.';

CREATE TABLE orders (
  id          integer PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customers,
  placed_at   timestamptz NOT NULL,
  status      text NOT NULL CHECK (status IN ('open', 'shipped', 'delivered', 'returned')),
  total       numeric(10, 2) NOT NULL
);
COMMENT ON TABLE orders IS 'What was ordered. A customer has none, or several.';

CREATE TABLE payments (
  id         integer PRIMARY KEY,
  order_id   integer NOT NULL REFERENCES orders,
  paid_at    timestamptz NOT NULL,
  method     text NOT NULL CHECK (method IN ('card', 'transfer', 'wallet')),
  card_last4 char(4),
  amount     numeric(10, 2) NOT NULL,
  status     text NOT NULL CHECK (status IN ('authorised', 'captured', 'refunded'))
);
COMMENT ON TABLE payments IS 'Money received for orders. Financial data.';
COMMENT ON COLUMN payments.card_last4 IS 'The last four digits, for cards only.';

INSERT INTO customers
SELECT i,
       first_name || ' ' || last_name,
       lower(first_name || '.' || last_name) || i || '@example.com',
       '+1 555 ' || lpad((i * 7919 % 10000000)::text, 7, '0'),
       (ARRAY['US', 'DE', 'GB', 'FR', 'JP', 'BR', 'IN', 'NL'])[1 + i * 13 % 8],
       (ARRAY['free', 'free', 'free', 'team', 'team', 'business'])[1 + i * 7 % 6],
       timestamptz '2024-01-01 00:00:00+00' + i * interval '5 hours 17 minutes'
FROM generate_series(1, 3000) AS i,
     LATERAL (SELECT
       (ARRAY['Ada', 'Ben', 'Chloe', 'Dmitri', 'Elena', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Keiko', 'Liam',
              'Mara', 'Noor', 'Oskar', 'Priya'])[1 + i % 16] AS first_name,
       (ARRAY['Abbott', 'Berger', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Gupta', 'Haddad', 'Ito', 'Jansen', 'Kovacs',
              'Lopez', 'Moreau'])[1 + i * 5 % 13] AS last_name) AS names;

INSERT INTO orders
SELECT i,
       1 + i * 37 % 3000,
       timestamptz '2025-01-01 00:00:00+00' + i * interval '61 minutes',
       (ARRAY['delivered', 'delivered', 'delivered', 'shipped', 'open', 'returned'])[1 + i * 11 % 6],
       round((5 + i * 613 % 49500 / 100.0)::numeric, 2)
FROM generate_series(1, 8000) AS i;

INSERT INTO payments
SELECT i,
       o.id,
       o.placed_at + interval '3 minutes',
       m.method,
       CASE m.method WHEN 'card' THEN lpad((i * 3571 % 10000)::text, 4, '0') END,
       o.total,
       CASE o.status WHEN 'returned' THEN 'refunded' WHEN 'open' THEN 'authorised' ELSE 'captured' END
FROM generate_series(1, 5000) AS i
JOIN orders AS o ON o.id = i,
     LATERAL (SELECT (ARRAY['card', 'card', 'transfer', 'wallet'])[1 + i * 3 % 4] AS method) AS m;

CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX payments_order_id ON payments (order_id);

CREATE VIEW order_totals AS
SELECT date_trunc('month', placed_at) AS month, status, count(*) AS orders, sum(total) AS total
FROM orders GROUP BY 1, 2;
COMMENT ON VIEW order_totals IS 'Orders by month and status. Nobody’s personal data.';

CREATE VIEW customer_directory AS
SELECT id, name, email FROM customers;
COMMENT ON VIEW customer_directory IS 'Looks harmless, and reads customers.';

RESET ROLE;
