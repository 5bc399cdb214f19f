"""Rows that are missing and rows that already exist.

Data only. A lookup that found nothing and a rejected duplicate both had no effect (ROLLED_BACK).
A unique violation right after an ambiguous failure with the same key is proof that the *first*
attempt was executed; that inference needs both records and belongs to a detector.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_MISSING, _DUPLICATE = ErrorClass.NOT_FOUND, ErrorClass.UNIQUE_VIOLATION
_R = Outcome.ROLLED_BACK
_S, _K = Provenance.SOURCE, Provenance.KNOWN
_EXCEPTION, _UMBRELLA = Evidence.EXCEPTION, Evidence.UMBRELLA

_NOT_FOUND: tuple[Fragment, ...] = (
    # Ruby
    Fragment("ActiveRecord::RecordNotFound", _MISSING, _R, "ActiveRecord", _S, _EXCEPTION),
    Fragment("RecordNotFound", _MISSING, _R, "ActiveRecord", _S, _EXCEPTION, exact_case=True),
    Fragment("Couldn't find * with '", _MISSING, _R, "ActiveRecord", _S),
    Fragment("Couldn't find * with ID=", _MISSING, _R, "ActiveRecord", _K),
    Fragment("Couldn't find * without an ID", _MISSING, _R, "ActiveRecord", _K),
    Fragment("Couldn't find all * with '", _MISSING, _R, "ActiveRecord", _K),
    Fragment("ActiveJob::DeserializationError", _MISSING, _R, "ActiveJob", _K, _EXCEPTION),
    Fragment("Sequel::NoMatchingRow", _MISSING, _R, "Sequel", _K, _EXCEPTION),
    Fragment("Mongoid::Errors::DocumentNotFound", _MISSING, _R, "Mongoid", _K, _EXCEPTION),
    # Python
    Fragment("DoesNotExist", _MISSING, _R, "Django", _S, _EXCEPTION, exact_case=True),
    Fragment("matching query does not exist", _MISSING, _R, "Django", _S),
    Fragment("NoResultFound", _MISSING, _R, "SQLAlchemy", _S, _EXCEPTION, exact_case=True),
    Fragment("No row was found when one was required", _MISSING, _R, "SQLAlchemy", _S),
    Fragment("NoSuchJobError", _MISSING, _R, "RQ", _S, _EXCEPTION),
    # Java, Kotlin, Clojure
    Fragment("EntityNotFoundException", _MISSING, _R, "JPA", _K, _EXCEPTION),
    Fragment("Unable to find * with id", _MISSING, _R, "Hibernate", _K),
    Fragment("ObjectNotFoundException", _MISSING, _R, "Hibernate", _K, _EXCEPTION),
    Fragment("No row with the given identifier exists", _MISSING, _R, "Hibernate", _K),
    Fragment("EmptyResultDataAccessException", _MISSING, _R, "Spring", _K, _EXCEPTION),
    Fragment("NoSuchElementException: No value present", _MISSING, _R, "JDK", _K),
    Fragment(":type :not-found", _MISSING, _R, "Clojure", _K, weak=True),
    Fragment(":type :entity-not-found", _MISSING, _R, "Clojure", _K),
    Fragment(":error :not-found", _MISSING, _R, "Clojure", _K, weak=True),
    Fragment("not found {:type", _MISSING, _R, "Clojure", _K, weak=True),
    Fragment("not found {:id", _MISSING, _R, "Clojure", _K, weak=True),
    # Go
    Fragment("sql: no rows in result set", _MISSING, _R, "database/sql", _S),
    Fragment("no rows in result set", _MISSING, _R, "pgx", _S),
    Fragment("record not found", _MISSING, _R, "gorm", _K, weak=True),
    Fragment("mongo: no documents in result", _MISSING, _R, "mongo-go", _K),
    # Node
    Fragment("NotFoundError", _MISSING, _R, "Prisma, Objection", _K, _EXCEPTION),
    Fragment("EntityNotFoundError", _MISSING, _R, "TypeORM", _K, _EXCEPTION),
    Fragment("EntityNotFound", _MISSING, _R, "TypeORM", _K, _EXCEPTION, exact_case=True),
    Fragment("Could not find any entity of type", _MISSING, _R, "TypeORM", _K),
    Fragment("EmptyResultError", _MISSING, _R, "Sequelize", _K, _EXCEPTION),
    Fragment("DocumentNotFoundError", _MISSING, _R, "Mongoose", _K, _EXCEPTION),
    Fragment("but none were found", _MISSING, _R, "Prisma", _K, weak=True),
    # Elixir, PHP, .NET, Rust
    Fragment("Ecto.NoResultsError", _MISSING, _R, "Ecto", _K, _EXCEPTION),
    Fragment("expected at least one result but got none", _MISSING, _R, "Ecto", _K),
    Fragment("ModelNotFoundException", _MISSING, _R, "Eloquent", _K, _EXCEPTION),
    Fragment("No query results for model", _MISSING, _R, "Eloquent", _K),
    Fragment("Sequence contains no elements", _MISSING, _R, ".NET", _K),
    Fragment("no rows returned by a query that expected to return", _MISSING, _R, "sqlx", _K),
    # Search
    Fragment("document_missing_exception", _MISSING, _R, "Elasticsearch", _K, exact_case=True),
)

_ALREADY_THERE: tuple[Fragment, ...] = (
    Fragment("duplicate key value violates unique constraint", _DUPLICATE, _R, "PostgreSQL", _S),
    Fragment("violates unique constraint", _DUPLICATE, _R, "PostgreSQL", _S),
    Fragment("UniqueViolation", _DUPLICATE, _R, "psycopg", _S, _EXCEPTION, exact_case=True),
    Fragment("UniqueViolationError", _DUPLICATE, _R, "asyncpg", _K, _EXCEPTION),
    Fragment("PG::UniqueViolation", _DUPLICATE, _R, "pg-gem", _S, _EXCEPTION),
    Fragment("RecordNotUnique", _DUPLICATE, _R, "ActiveRecord", _S, _EXCEPTION, exact_case=True),
    Fragment("Duplicate entry '* for key", _DUPLICATE, _R, "MySQL", _S),
    Fragment("ER_DUP_ENTRY", _DUPLICATE, _R, "mysql2", _K, exact_case=True),
    Fragment("SQLIntegrityConstraintViolationException", _DUPLICATE, _R, "JDBC", _K, _UMBRELLA),
    Fragment("DuplicateKeyException", _DUPLICATE, _R, "Spring", _K, _EXCEPTION),
    Fragment("UniqueConstraintViolationException", _DUPLICATE, _R, "Doctrine", _K, _EXCEPTION),
    Fragment("UniqueConstraintError", _DUPLICATE, _R, "Sequelize", _K, _EXCEPTION),
    Fragment("Unique constraint failed on the", _DUPLICATE, _R, "Prisma", _K),
    Fragment("UNIQUE constraint failed:", _DUPLICATE, _R, "SQLite", _K),
    Fragment("E11000 duplicate key error", _DUPLICATE, _R, "MongoDB", _K),
    Fragment("DuplicateKeyError", _DUPLICATE, _R, "pymongo", _K, _EXCEPTION),
    Fragment("Sequel::UniqueConstraintViolation", _DUPLICATE, _R, "Sequel", _K, _EXCEPTION),
    Fragment("version_conflict_engine_exception", _DUPLICATE, _R, "Elasticsearch", _K),
    Fragment("Cannot insert duplicate key row in object", _DUPLICATE, _R, "SQL Server", _K),
    Fragment("ORA-00001: unique constraint", _DUPLICATE, _R, "Oracle", _K),
    Fragment("DuplicateJobError", _DUPLICATE, _R, "RQ", _S, _EXCEPTION),
)

FRAGMENTS: tuple[Fragment, ...] = _NOT_FOUND + _ALREADY_THERE
