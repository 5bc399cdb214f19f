"""What PostgreSQL says, in English and as `lc_messages = 'de_DE.UTF-8'` has it."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "waiting": "process {pid} still waiting for {mode} on {what} after {ms}.412 ms␊DETAIL:  Process"
    " holding the lock: {holder}. Wait queue: {queue}.␊STATEMENT:  {statement}",
    "acquired": "process {pid} acquired {mode} on {what} after {ms}.087 ms␊STATEMENT:  {statement}",
    "relation": "relation {oid} of database 16402",
    "transaction": "transaction {oid}",
    "duration": "duration: {ms}.118 ms  statement: {statement}",
    "statement_timeout": "canceling statement due to statement timeout",
    "lock_timeout": "canceling statement due to lock timeout",
    "idle": "terminating connection due to idle-in-transaction timeout",
    "read_only": "cannot execute {verb} in a read-only transaction",
    "administrator": "terminating connection due to administrator command",
    "starting": "the database system is starting up",
    "ready": "database system is ready to accept connections",
    "promoted": "received promote request",
    "too_many": "sorry, too many clients already",
    "reserved": "remaining connection slots are reserved for roles with the SUPERUSER attribute",
    "disk": 'could not extend file "base/16402/24719": No space left on device␊HINT:  Check free'
    " disk space.",
    "duplicate": 'duplicate key value violates unique constraint "{constraint}"',
    "not_null": 'null value in column "{column}" of relation "{table}" violates not-null'
    " constraint",
    "gone": "could not receive data from client: Connection reset by peer",
    "checkpoint": "checkpoint complete: wrote {n} buffers (0.4%); 0 WAL file(s) added",
}
GERMAN: Mapping[str, str] = {
    "waiting": "Prozess {pid} wartet immer noch auf {mode}-Sperre auf {what} nach {ms},412 ms␊"
    "DETAIL:  Prozess, der die Sperre hält: {holder}. Warteschlange: {queue}.␊"
    "ANWEISUNG:  {statement}",
    "acquired": "Prozess {pid} erlangte {mode}-Sperre auf {what} nach {ms},087 ms␊ANWEISUNG:"
    "  {statement}",
    "relation": "Relation {oid} der Datenbank 16402",
    "transaction": "Transaktion {oid}",
    "duration": "Dauer: {ms}.118 ms  Anweisung: {statement}",
    "statement_timeout": "storniere Anfrage wegen Zeitüberschreitung der Anfrage",
    "lock_timeout": "storniere Anfrage wegen Zeitüberschreitung einer Sperre",
    "idle": "Verbindung wird abgebrochen wegen Zeitüberschreitung in inaktiver Transaktion",
    "read_only": "{verb} kann nicht in einer Read-Only-Transaktion ausgeführt werden",
    "administrator": "Verbindung wird abgebrochen aufgrund von Anweisung des Administrators",
    "starting": "das Datenbanksystem startet",
    "ready": "Datenbanksystem ist bereit, um Verbindungen anzunehmen",
    "promoted": "Anforderung zum Befördern empfangen",
    "too_many": "tut mir leid, schon zu viele Verbindungen",
    "reserved": "die verbleibenden Verbindungen sind für Rollen mit dem SUPERUSER-Attribut"
    " reserviert",
    "disk": "konnte Datei »base/16402/24719« nicht erweitern: Auf dem Gerät ist kein Speicherplatz"
    " mehr verfügbar␊TIPP:  Prüfen Sie den freien Festplattenplatz.",
    "duplicate": "doppelter Schlüsselwert verletzt Unique-Constraint »{constraint}«",
    "not_null": "NULL-Wert in Spalte »{column}« von Relation »{table}« verletzt"
    " Not-Null-Constraint",
    "gone": "konnte Daten vom Client nicht empfangen: Verbindung wurde vom Kommunikationspartner"
    " zurückgesetzt",
    "checkpoint": "Checkpoint beendet: {n} Puffer geschrieben (0,4%); 0 WAL-Datei(en) hinzugefügt",
}
