"""The server answered, and the answer was "not now" or "undone".

Data only. A state that refuses commands is NOT_EXECUTED; an aborted transaction is ROLLED_BACK.
Kafka's NOT_ENOUGH_REPLICAS_AFTER_APPEND is EXECUTED: the records are already in the log.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_STATE = ErrorClass.SERVER_STATE
_N, _A, _R, _E = (
    Outcome.NOT_EXECUTED,
    Outcome.AMBIGUOUS,
    Outcome.ROLLED_BACK,
    Outcome.EXECUTED,
)
_S, _C, _K = Provenance.SOURCE, Provenance.CODE, Provenance.KNOWN
_EXCEPTION = Evidence.EXCEPTION

_REDIS: tuple[Fragment, ...] = (
    Fragment("Redis is loading the dataset in memory", _STATE, _N, "Redis", _S),
    Fragment("You can't write against a read only replica", _STATE, _N, "Redis", _S),
    Fragment("You can't write against a read only slave", _STATE, _N, "Redis", _K),
    Fragment("Link with MASTER is down", _STATE, _N, "Redis", _S),
    Fragment("MISCONF Redis is configured to save", _STATE, _N, "Redis", _S),
    Fragment("Redis is configured to save RDB snapshots", _STATE, _N, "Redis", _S),
    Fragment("OOM command not allowed", _STATE, _N, "Redis", _S),
    Fragment("command not allowed when used memory", _STATE, _N, "Redis", _S),
    Fragment("CLUSTERDOWN", _STATE, _N, "Redis", _S, exact_case=True),
    Fragment("The cluster is down", _STATE, _N, "Redis", _S, weak=True),
    Fragment("TRYAGAIN Multiple keys request", _STATE, _N, "Redis", _S),
    Fragment("Not enough good replicas to write", _STATE, _N, "Redis", _S),
    Fragment("Redis is busy running a script", _STATE, _N, "Redis", _S),
    Fragment("NOAUTH Authentication required", _STATE, _N, "Redis", _S),
    Fragment("Transaction discarded because of previous errors", _STATE, _R, "Redis", _S),
    Fragment("EXECABORT", _STATE, _R, "Redis", _S, exact_case=True),
)

_DATABASES: tuple[Fragment, ...] = (
    Fragment("the database system is starting up", _STATE, _N, "PostgreSQL", _S),
    Fragment("the database system is shutting down", _STATE, _N, "PostgreSQL", _S),
    Fragment("the database system is in recovery mode", _STATE, _N, "PostgreSQL", _S),
    Fragment("the database system is not yet accepting connections", _STATE, _N, "PostgreSQL", _S),
    Fragment("deadlock detected", _STATE, _R, "PostgreSQL", _S, weak=True),
    Fragment("could not serialize access due to", _STATE, _R, "PostgreSQL", _S),
    Fragment("canceling statement due to lock timeout", _STATE, _R, "PostgreSQL", _S),
    Fragment("could not obtain lock on row", _STATE, _R, "PostgreSQL", _K),
    Fragment("due to conflict with recovery", _STATE, _R, "PostgreSQL", _S),
    Fragment("in a read-only transaction", _STATE, _R, "PostgreSQL", _S, weak=True),
    Fragment("current transaction is aborted, commands ignored", _STATE, _R, "PostgreSQL", _K),
    Fragment("DeadlockDetected", _STATE, _R, "psycopg", _S, _EXCEPTION, exact_case=True),
    Fragment("SerializationFailure", _STATE, _R, "psycopg", _S, _EXCEPTION, exact_case=True),
    Fragment("LockNotAvailable", _STATE, _R, "psycopg", _S, _EXCEPTION, exact_case=True),
    Fragment("ActiveRecord::Deadlocked", _STATE, _R, "ActiveRecord", _K, _EXCEPTION),
    Fragment("ActiveRecord::LockWaitTimeout", _STATE, _R, "ActiveRecord", _K, _EXCEPTION),
    Fragment("Deadlock found when trying to get lock", _STATE, _R, "MySQL", _S),
    Fragment("Lock wait timeout exceeded", _STATE, _R, "MySQL", _S),
    Fragment("running with the --read-only option", _STATE, _N, "MySQL", _K),
    Fragment("database is locked", _STATE, _R, "SQLite", _K, weak=True),
)

_BROKERS: tuple[Fragment, ...] = (
    Fragment("NOT_LEADER_FOR_PARTITION", _STATE, _N, "Kafka", _S, exact_case=True),
    Fragment("NOT_LEADER_OR_FOLLOWER", _STATE, _N, "Kafka", _K, exact_case=True),
    Fragment("NotLeaderForPartitionError", _STATE, _N, "kafka-python", _K, _EXCEPTION),
    Fragment("NOT_ENOUGH_REPLICAS", _STATE, _N, "Kafka", _S, exact_case=True),
    Fragment("NotEnoughReplicasException", _STATE, _N, "Kafka", _K, _EXCEPTION),
    Fragment("NOT_ENOUGH_REPLICAS_AFTER_APPEND", _STATE, _E, "Kafka", _S, exact_case=True),
    Fragment("NotEnoughReplicasAfterAppendException", _STATE, _E, "Kafka", _K, _EXCEPTION),
    Fragment("but to fewer in-sync replicas than required", _STATE, _E, "Kafka", _C),
    Fragment("The group is rebalancing, so a rejoin is needed", _STATE, _A, "Kafka", _S),
    Fragment("CommitFailedError", _STATE, _A, "kafka-python", _S, _EXCEPTION),
    Fragment("CommitFailedException", _STATE, _A, "Kafka", _K, _EXCEPTION),
    Fragment("delivery acknowledgement on channel * timed out", _STATE, _A, "RabbitMQ", _S),
)

FRAGMENTS: tuple[Fragment, ...] = _REDIS + _DATABASES + _BROKERS
