CREATE TABLE campaigns (
    id int PRIMARY KEY,
    name text NOT NULL,
    signups int NOT NULL DEFAULT 0
);
CREATE TABLE products (
    id int PRIMARY KEY,
    name text NOT NULL,
    stock int NOT NULL
);
CREATE TABLE users (
    id bigserial PRIMARY KEY,
    email text NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'pending',
    campaign_id int NOT NULL REFERENCES campaigns (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX users_created_at ON users (created_at);
CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    product_id int NOT NULL REFERENCES products (id),
    status text NOT NULL DEFAULT 'placed',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_created_at ON orders (created_at);
CREATE TABLE mails (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    kind text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mails_created_at ON mails (created_at);
CREATE INDEX mails_user_id ON mails (user_id);
CREATE TABLE deliveries (
    id bigserial PRIMARY KEY,
    campaign_id int NOT NULL REFERENCES campaigns (id),
    email text NOT NULL
);
CREATE TABLE sales (
    id bigserial PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders (id),
    product_id int NOT NULL REFERENCES products (id),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sales_created_at ON sales (created_at);
CREATE INDEX sales_order_id ON sales (order_id);
INSERT INTO campaigns (id, name) VALUES (7, 'spring');
INSERT INTO products (id, name, stock) SELECT n, 'product ' || n, 100 + n FROM generate_series(1, 40) AS n;
SELECT setval('users_id_seq', 4600);
SELECT setval('orders_id_seq', 88200);
INSERT INTO users (email, status, campaign_id, created_at, updated_at)
    SELECT 'customer' || n || '@example.org', 'active', 7, now() - interval '9 days', now() - interval '9 days'
    FROM generate_series(1, 20) AS n;
