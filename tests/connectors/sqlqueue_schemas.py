"""Tables of queues whose workers do not run here, as their published schemas make them.

Columns, types and defaults after good_job 4.19, solid_queue 1.5, oban 2.23, que 2.4, river 0.43 and
delayed_job_active_record 4.1; what no reader sees (other indexes, triggers) is left out.
"""

from __future__ import annotations

GOOD_JOB = (
    "CREATE TABLE good_jobs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), queue_name text,"
    " priority integer, serialized_params jsonb, scheduled_at timestamp(6), performed_at"
    " timestamp(6), finished_at timestamp(6), error text, error_event smallint, executions_count"
    " integer, job_class text, concurrency_key text, cron_key text, cron_at timestamp(6), batch_id"
    " uuid, batch_callback_id uuid, labels text[], active_job_id uuid, locked_by_id uuid, locked_at"
    " timestamp(6), lock_type smallint, created_at timestamp(6) NOT NULL, updated_at timestamp(6)"
    " NOT NULL)",
    "CREATE TABLE good_job_executions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), active_job_id"
    " uuid NOT NULL, job_class text, queue_name text, serialized_params jsonb, scheduled_at"
    " timestamp(6), finished_at timestamp(6), error text, error_event smallint, error_backtrace"
    " text[], process_id uuid, duration interval, created_at timestamp(6) NOT NULL, updated_at"
    " timestamp(6) NOT NULL)",
    "CREATE TABLE good_job_processes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), state jsonb,"
    " lock_type smallint, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL)",
)
SOLID_QUEUE = (
    "CREATE TABLE solid_queue_jobs (id bigserial PRIMARY KEY, queue_name varchar NOT NULL,"
    " class_name varchar NOT NULL, arguments text, priority integer NOT NULL DEFAULT 0,"
    " active_job_id varchar, scheduled_at timestamp(6), finished_at timestamp(6), concurrency_key"
    " varchar, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL)",
    "CREATE TABLE solid_queue_processes (id bigserial PRIMARY KEY, kind varchar NOT NULL,"
    " last_heartbeat_at timestamp(6) NOT NULL, supervisor_id bigint, pid integer NOT NULL, hostname"
    " varchar, metadata text, created_at timestamp(6) NOT NULL, name varchar NOT NULL)",
    "CREATE TABLE solid_queue_ready_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL"
    " UNIQUE, queue_name varchar NOT NULL, priority integer NOT NULL DEFAULT 0, created_at"
    " timestamp(6) NOT NULL)",
    "CREATE TABLE solid_queue_claimed_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL"
    " UNIQUE, process_id bigint, created_at timestamp(6) NOT NULL)",
    "CREATE TABLE solid_queue_failed_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL"
    " UNIQUE, error text, created_at timestamp(6) NOT NULL)",
    "CREATE TABLE solid_queue_scheduled_executions (id bigserial PRIMARY KEY, job_id bigint NOT"
    " NULL UNIQUE, queue_name varchar NOT NULL, priority integer NOT NULL DEFAULT 0, scheduled_at"
    " timestamp(6) NOT NULL, created_at timestamp(6) NOT NULL)",
    "CREATE TABLE solid_queue_blocked_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL"
    " UNIQUE, queue_name varchar NOT NULL, priority integer NOT NULL DEFAULT 0, concurrency_key"
    " varchar NOT NULL, expires_at timestamp(6) NOT NULL, created_at timestamp(6) NOT NULL)",
)
OBAN = (
    "CREATE TYPE oban_job_state AS ENUM ('available', 'scheduled', 'executing', 'retryable',"
    " 'completed', 'discarded', 'cancelled')",
    "CREATE TABLE oban_jobs (id bigserial PRIMARY KEY, state oban_job_state NOT NULL DEFAULT"
    " 'available', queue text NOT NULL DEFAULT 'default', worker text NOT NULL, args jsonb NOT NULL"
    " DEFAULT '{}', errors jsonb[] NOT NULL DEFAULT ARRAY[]::jsonb[], attempt integer NOT NULL"
    " DEFAULT 0, max_attempts integer NOT NULL DEFAULT 20, inserted_at timestamp NOT NULL DEFAULT"
    " timezone('UTC', now()), scheduled_at timestamp NOT NULL DEFAULT timezone('UTC', now()),"
    " attempted_at timestamp, completed_at timestamp, attempted_by text[], discarded_at timestamp,"
    " priority integer NOT NULL DEFAULT 0, tags text[] DEFAULT ARRAY[]::text[], meta jsonb DEFAULT"
    " '{}', cancelled_at timestamp)",
    "CREATE INDEX ON oban_jobs (state, queue, priority, scheduled_at, id)",
)
DELAYED_JOB = (
    "CREATE TABLE delayed_jobs (id bigserial PRIMARY KEY, priority integer NOT NULL DEFAULT 0,"
    " attempts integer NOT NULL DEFAULT 0, handler text NOT NULL, last_error text, run_at"
    " timestamp, locked_at timestamp, failed_at timestamp, locked_by varchar, queue varchar,"
    " created_at timestamp(6), updated_at timestamp(6))",
    "CREATE INDEX ON delayed_jobs (priority, run_at)",
)
QUE = (
    "CREATE TABLE que_jobs (priority smallint NOT NULL DEFAULT 100, run_at timestamptz NOT NULL"
    " DEFAULT now(), id bigserial PRIMARY KEY, job_class text NOT NULL, error_count integer NOT"
    " NULL DEFAULT 0, last_error_message text, queue text NOT NULL DEFAULT 'default',"
    " last_error_backtrace text, finished_at timestamptz, expired_at timestamptz, args jsonb NOT"
    " NULL DEFAULT '[]', data jsonb NOT NULL DEFAULT '{}', job_schema_version integer NOT NULL"
    " DEFAULT 2, kwargs jsonb NOT NULL DEFAULT '{}')",
)
RIVER = (
    "CREATE TYPE river_job_state AS ENUM ('available', 'cancelled', 'completed', 'discarded',"
    " 'pending', 'retryable', 'running', 'scheduled')",
    "CREATE TABLE river_job (id bigserial PRIMARY KEY, state river_job_state NOT NULL DEFAULT"
    " 'available', attempt smallint NOT NULL DEFAULT 0, max_attempts smallint NOT NULL,"
    " attempted_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(), finalized_at"
    " timestamptz, scheduled_at timestamptz NOT NULL DEFAULT now(), priority smallint NOT NULL"
    " DEFAULT 1, args jsonb NOT NULL, attempted_by text[], errors jsonb[], kind text NOT NULL,"
    " metadata jsonb NOT NULL DEFAULT '{}', queue text NOT NULL DEFAULT 'default', tags"
    " varchar(255)[] NOT NULL DEFAULT '{}')",
    "CREATE INDEX ON river_job (state, finalized_at) WHERE finalized_at IS NOT NULL",
    "CREATE TABLE river_migration (line text NOT NULL, version bigint NOT NULL, created_at"
    " timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (line, version))",
)
