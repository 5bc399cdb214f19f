CREATE TABLE apps (
    id int PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE backups (
    id bigserial PRIMARY KEY,
    app_id int NOT NULL REFERENCES apps (id),
    night date NOT NULL,
    bytes int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX backups_created_at ON backups (created_at);
CREATE INDEX backups_app_id ON backups (app_id);
INSERT INTO apps (id, name, created_at)
    SELECT 300 + n, 'app-' || n, now() - interval '90 days' FROM generate_series(1, $apps) AS n;
