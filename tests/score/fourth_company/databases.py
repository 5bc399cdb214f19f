"""What the database says: PostgreSQL in Italian, Polish and English, MySQL 8.

PostgreSQL's messages begin with its own word for the level, as its log has them; `as_read` says
what a reader makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping

Sayings = Mapping[str, str]

ITALIAN: Sayings = {
    "deadlock": "ERRORE:  deadlock rilevato",
    "too_many": "FATALE:  spiacente, troppi client già connessi",
    "disk_full": 'ERRORE:  estensione del file "base/16401/24812" fallita: Spazio esaurito sul'
    " dispositivo␊SUGGERIMENTO:  Controlla lo spazio libero sul disco.",
    "statement": "ERRORE:  annullamento dell'istruzione a causa di timeout",
    "conflict": "ERRORE:  annullamento dell'istruzione a causa di un conflitto con il ripristino",
    "unique": 'ERRORE:  un valore chiave duplicato viola il vincolo univoco "{name}"',
    "checkpoint": "LOG:  inizio del checkpoint: time",
    "slow": "LOG:  durata: {ms}.118 ms  istruzione: SELECT count(*) FROM {table}",
}
POLISH: Sayings = {
    "deadlock": "BŁĄD:  wykryto zakleszczenie",
    "too_many": "FATALNY:  przepraszamy, istnieje już zbyt wielu klientów",
    "disk_full": 'BŁĄD:  nie można rozszerzyć pliku "base/16401/24812": Brak miejsca na urządzeniu'
    "␊PODPOWIEDŹ:  Sprawdź dostępne miejsce na dysku.",
    "statement": "BŁĄD:  anulowano polecenie z powodu przekroczenia czasu wykonania",
    "conflict": "BŁĄD:  anulowano polecenie z powodu konfliktu podczas odzyskiwania",
    "unique": 'BŁĄD:  podwójna wartość klucza narusza ograniczenie unikalności "{name}"',
    "checkpoint": "DZIENNIK:  rozpoczęto punkt kontrolny: time",
    "slow": "DZIENNIK:  czas trwania: {ms}.118 ms  polecenie: SELECT count(*) FROM {table}",
}
ENGLISH: Sayings = {
    "deadlock": "ERROR:  deadlock detected",
    "too_many": "FATAL:  sorry, too many clients already",
    "disk_full": 'ERROR:  could not extend file "base/16401/24812": No space left on device␊HINT: '
    " Check free disk space.",
    "statement": "ERROR:  canceling statement due to statement timeout",
    "conflict": "ERROR:  canceling statement due to conflict with recovery",
    "unique": 'ERROR:  duplicate key value violates unique constraint "{name}"',
    "checkpoint": "LOG:  checkpoint starting: time",
    "slow": "LOG:  duration: {ms}.118 ms  statement: SELECT count(*) FROM {table}",
}
MYSQL: Sayings = {
    "deadlock": "1213 (40001): Deadlock found when trying to get lock; try restarting transaction",
    "too_many": "1040 (08004): Too many connections",
    "disk_full": "1114 (HY000): The table '{table}' is full",
    "statement": "3024 (HY000): Query execution was interrupted, maximum statement execution time"
    " exceeded",
    "unique": "1062 (23000): Duplicate entry '{value}' for key '{name}'",
}
MYSQL_LOG: Sayings = {
    "deadlock": "[Note] [MY-012468] [InnoDB] Transactions deadlock detected, dumping detailed"
    " information.",
    "disk_full": "[ERROR] [MY-013132] [Server] The table '{table}' is full!",
    "checkpoint": "[Note] [MY-011953] [InnoDB] Page cleaner took {ms}ms to flush 212 pages",
    "slow": "[Note] [MY-010914] [Server] Aborted connection 8812 to db: 'app' (Got timeout reading"
    " communication packets)",
}
"""What of it stands in the server's own error log; the rest does not."""
SPOKEN: Mapping[str, Sayings] = {
    "postgres-italian": ITALIAN,
    "postgres-polish": POLISH,
    "postgres": ENGLISH,
    "mysql": MYSQL,
}
_LEVELS: Mapping[str, int] = {
    "LOG": 9,
    "DZIENNIK": 9,
    "ERROR": 17,
    "ERRORE": 17,
    "BŁĄD": 17,
    "FATAL": 21,
    "FATALE": 21,
}
"""The words for levels that a reader knows."""
POSTGRES = ("postgres-italian", "postgres-polish", "postgres")
MYSQL_DRIVERS: Mapping[str, str] = {
    "winston": "Error: {message}",
    "bunyan": "Error: {message}",
    "django": "django.db.utils.OperationalError: ({message})",
    "django-rq": "django.db.utils.OperationalError: ({message})",
    "akka": "java.sql.SQLException: {message}",
    "jul": "java.sql.SQLException: {message}",
    "ocaml": "Request to <mariadb://app:_@db/bottega> failed: {message}",
    "haskell": "MySQLError {message}",
    "zap": "Error {message}",
    "serilog": "MySqlConnector.MySqlException (0x80004005): {message}",
}
"""How each language's driver hands on what MySQL says."""


def as_read(said: str) -> tuple[str, int]:
    """A message of PostgreSQL's log without its level, and the severity; both are the connector's.

    A word for a level that the connector does not know stays in front, with a severity of 0.
    """
    level, found, rest = said.partition(":  ")
    return (rest, _LEVELS[level]) if found and level in _LEVELS else (said, 0)


def without_level(said: str) -> str:
    """A message as drivers hand it on: the server's word for its level is a field of its own."""
    level, found, rest = said.partition(":  ")
    return rest if found and level.isupper() else said
