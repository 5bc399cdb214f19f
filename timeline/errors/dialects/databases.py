"""What databases themselves say beyond PostgreSQL's and MySQL's common texts.

Data only. Oracle's codes, more of PostgreSQL, MySQL, SQLite, MongoDB, Cassandra, search engines,
connection poolers, Redis.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
_CLOSED = ErrorClass.CLOSED
_DNS = ErrorClass.DNS
_POOL = ErrorClass.POOL
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_DUPLICATE = ErrorClass.UNIQUE_VIOLATION
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_UMBRELLA = Evidence.UMBRELLA
_CODE = Evidence.CODE

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _REFUSED, _N, "Oracle", "ORA-12541", "ORA-12542", "ORA-12543", "ORA-17800", evidence=_CODE
    ),
    *known(_CONNECT, _N, "Oracle", "ORA-12170", "ORA-12535", "ORA-12606", evidence=_CODE),
    *known(_DNS, _N, "Oracle", "ORA-12154", "ORA-12545", evidence=_CODE),
    *known(
        _CLOSED,
        _A,
        "Oracle",
        "ORA-03113",
        "ORA-03135",
        "ORA-12537",
        "ORA-12547",
        "ORA-25408",
        "ORA-12571",
        evidence=_CODE,
    ),
    *known(_CLOSED, _N, "Oracle", "ORA-03114", "ORA-01012", "ORA-17008", evidence=_CODE),
    *known(_CLOSED, _R, "Oracle", "ORA-00028", "ORA-01089", evidence=_CODE),
    *known(
        _POOL,
        _N,
        "Oracle",
        "ORA-12516",
        "ORA-12519",
        "ORA-12520",
        "ORA-00018",
        "ORA-00020",
        "ORA-02391",
        evidence=_CODE,
    ),
    *known(
        _STATE,
        _N,
        "Oracle",
        "ORA-12514",
        "ORA-12505",
        "ORA-01033",
        "ORA-01034",
        "ORA-12528",
        "ORA-16000",
        evidence=_CODE,
    ),
    *known(
        _STATE,
        _R,
        "Oracle",
        "ORA-00060",
        "ORA-00054",
        "ORA-30006",
        "ORA-08177",
        "ORA-01555",
        "ORA-01653",
        "ORA-01654",
        "ORA-00257",
        evidence=_CODE,
    ),
    *known(_READ, _R, "Oracle", "ORA-01013", "ORA-00040", evidence=_CODE),
    *known(_MISSING, _R, "Oracle", "ORA-01403", "ORA-02291", evidence=_CODE),
    *known(_DUPLICATE, _R, "Oracle", "ORA-00001", evidence=_CODE),
    *known(
        _STATE,
        _N,
        "PostgreSQL",
        "password authentication failed for user",
        "no pg_hba.conf entry for host",
    ),
    *known(_READ, _R, "PostgreSQL", "canceling statement due to user request"),
    *known(
        _CLOSED,
        _R,
        "PostgreSQL",
        "terminating connection due to transaction timeout",
        "terminating connection due to unexpected postmaster exit",
    ),
    *known(_POOL, _N, "PostgreSQL", "could not fork new process for connection"),
    *known(
        _STATE,
        _R,
        "PostgreSQL",
        "could not extend file",
        "could not resize shared memory segment",
        "out of shared memory",
    ),
    *known(_MISSING, _R, "PostgreSQL", "is not present in table", "P0002: query returned no rows"),
    *known(_MISSING, _R, "MySQL", "Cannot add or update a child row"),
    *known(
        _REFUSED,
        _N,
        "PgBouncer",
        "pgbouncer cannot connect to server",
        "server login has been failing",
        "all backend nodes are down",
        evidence=_UMBRELLA,
    ),
    *known(_CLOSED, _A, "PgBouncer", "server conn crashed", "closing because: server conn crashed"),
    *known(_POOL, _N, "Supavisor", "Max client connections reached", "MaxClientsInSessionMode"),
    *known(
        _POOL,
        _N,
        "MySQL",
        "max_user_connections' resource",
        "has exceeded the 'max_",
        "already has more than 'max_user_connections'",
    ),
    *known(
        _REFUSED,
        _N,
        "MySQL",
        "Can't connect to server on",  # MariaDB since 10.6; its number in brackets says why
        "is blocked because of many connection errors",
        "is not allowed to connect to this",
        evidence=_UMBRELLA,
    ),
    *known(_READ, _R, "MySQL", "Query execution was interrupted"),
    *known(_CLOSED, _N, "MySQL", "disconnected by the server because of inactivity"),
    *known(_CLOSED, _R, "MySQL", "Connection was killed", weak=True),
    *known(
        _STATE,
        _N,
        "MySQL",
        "WSREP has not yet prepared node",
        "WSREP has not prepared node",
        "Statement aborted because lock(s) could not be acquired immediately",
    ),
    *known(
        _STATE, _R, "SQLite", "database table is locked", "SQLITE_BUSY", "database or disk is full"
    ),
    *known(
        _STATE, _R, "MongoDB", "WriteConflict error", "WriteConflict:", "LockTimeout:", weak=True
    ),
    *known(
        _STATE,
        _N,
        "MongoDB",
        "NotPrimaryNoSecondaryOk",
        "not master and slaveOk=false",
        "NotWritablePrimary",
        "PrimarySteppedDown",
        "node is recovering",
        weak=True,
    ),
    *known(_READ, _R, "MongoDB", "operation exceeded time limit", "MaxTimeMSExpired"),
    *known(_READ, _A, "MongoDB", "waiting for replication timed out"),
    *known(
        _REFUSED,
        _N,
        "Cassandra",
        "All host(s) tried for query failed",
        "Unable to connect to any servers",
        "No node was available to execute the query",
        evidence=_UMBRELLA,
    ),
    *known(
        _READ,
        _A,
        "Cassandra",
        "Cassandra timeout during * write query",
        "Operation timed out - received only",
    ),
    *known(
        _READ,
        _R,
        "Cassandra",
        "Cassandra timeout during read query",
        "Cassandra timeout during * read query",
    ),
    *known(
        _STATE,
        _N,
        "Cassandra",
        "Not enough replicas available for query",
        "Cannot achieve consistency level",
    ),
    *known(
        _REFUSED,
        _N,
        "Elasticsearch",
        "None of the configured nodes",
        "There are no living connections",
        "No alive nodes found in your cluster",
        "NoNodeAvailableException",
        evidence=_UMBRELLA,
    ),
    *known(
        _STATE,
        _N,
        "Elasticsearch",
        "es_rejected_execution_exception",
        "cluster_block_exception",
        "circuit_breaking_exception",
        "master_not_discovered_exception",
        "rejected_execution_exception",
    ),
    *known(_READ, _A, "Elasticsearch", "process_cluster_event_timeout_exception"),
    *known(_MISSING, _R, "Elasticsearch", "index_not_found_exception"),
    *known(_CLOSED, _A, "Redis", "for overcoming of output buffer limits"),
    *known(
        _STATE,
        _N,
        "Redis",
        "WRONGPASS invalid username-password pair",
        "NOPERM this user has no permissions",
    ),
    *known(_MISSING, _R, "Redis", "NOGROUP No such key"),
)
