CREATE TABLE users (
    id bigint PRIMARY KEY,
    public_id uuid NOT NULL DEFAULT gen_random_uuid(),
    email text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE statements (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    batch text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX statements_created_at ON statements (created_at);
CREATE INDEX statements_user_id ON statements (user_id);
INSERT INTO users (id, email, created_at)
    SELECT 10000 + n,
           CASE WHEN n % 37 <> 0 THEN 'member' || n || '@example.org' END,
           now() - interval '40 days'
    FROM generate_series(1, $users) AS n;
