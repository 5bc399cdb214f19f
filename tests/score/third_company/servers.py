"""What this company's database says: PostgreSQL in French, Spanish and English, and MariaDB.

The texts are those that the servers' own catalogues have; each phrase has the same fields in all
four. MariaDB has no line for a lock that is waited for: its error log does not tell of them.
"""

from __future__ import annotations

from collections.abc import Mapping

Server = Mapping[str, str]

FRENCH: Server = {
    "deadlock": "interblocage (deadlock) détecté",
    "lock_timeout": "annulation de la requête à cause du délai écoulé pour l'obtention des verrous",
    "statement_timeout": "annulation de la requête à cause du délai écoulé pour l'exécution de"
    " l'instruction",
    "read_only": "ne peut pas exécuter {verb} dans une transaction en lecture seule",
    "ended": "arrêt des connexions suite à la demande de l'administrateur",
    "too_many": "désolé, trop de clients sont déjà connectés",
    "not_ready": "le système de bases de données se lance",
    "waits": "le processus {pid} est toujours en attente de {mode} sur relation {relation} de la"
    " base de données 16401 après {ms}.218 ms␊DÉTAIL :  Processus détenant le verrou : {holder}."
    " File d'attente : {queue}.␊INSTRUCTION :  {statement}",
    "got": "le processus {pid} a acquis {mode} sur relation {relation} de la base de données 16401"
    " après {ms}.551 ms␊INSTRUCTION :  {statement}",
    "no_column": "la colonne « {column} » de la relation « {table} » n'existe pas",
    "stopping": "a reçu une demande d'arrêt rapide",
    "promoted": "a reçu une demande de promotion",
    "timeline": "identifiant d'un timeline nouvellement sélectionné : {n}",
    "ready": "le système de bases de données est prêt pour accepter les connexions",
    "slow": "durée : {ms}.402 ms  instruction : {statement}",
    "vacuum": "VACUUM automatique de la table « shop.public.{table} » : parcours d'index : 1",
    "checkpoint": "début du checkpoint : time",
}
SPANISH: Server = {
    "deadlock": "se ha detectado un deadlock",
    "lock_timeout": "cancelando la sentencia debido a que se agotó el tiempo de espera de candados"
    " (locks)",
    "statement_timeout": "cancelando la sentencia debido a que se agotó el tiempo de espera de"
    " sentencias",
    "read_only": "no se puede ejecutar {verb} en una transacción de sólo lectura",
    "ended": "terminando la conexión debido a una orden del administrador",
    "too_many": "lo siento, ya tenemos demasiados clientes",
    "not_ready": "el sistema de base de datos está iniciándose",
    "waits": "el proceso {pid} aún espera {mode} en relación {relation} de la base de datos 16401"
    " después de {ms}.218 ms␊DETALLE:  Proceso que mantiene el candado (lock): {holder}. Cola de"
    " espera: {queue}.␊SENTENCIA:  {statement}",
    "got": "el proceso {pid} adquirió {mode} en relación {relation} de la base de datos 16401"
    " después de {ms}.551 ms␊SENTENCIA:  {statement}",
    "no_column": "no existe la columna «{column}» en la relación «{table}»",
    "stopping": "se recibió petición de apagado rápido",
    "promoted": "se recibió petición de promoción",
    "timeline": "seleccionado nuevo ID de timeline: {n}",
    "ready": "el sistema de bases de datos está listo para aceptar conexiones",
    "slow": "duración: {ms}.402 ms  sentencia: {statement}",
    "vacuum": "vacuum automático de la tabla «shop.public.{table}»: recorridos de índice: 1",
    "checkpoint": "empezando checkpoint: time",
}
ENGLISH: Server = {
    "deadlock": "deadlock detected",
    "lock_timeout": "canceling statement due to lock timeout",
    "statement_timeout": "canceling statement due to statement timeout",
    "read_only": "cannot execute {verb} in a read-only transaction",
    "ended": "terminating connection due to administrator command",
    "too_many": "sorry, too many clients already",
    "not_ready": "the database system is starting up",
    "waits": "process {pid} still waiting for {mode} on relation {relation} of database 16401 after"
    " {ms}.218 ms␊DETAIL:  Process holding the lock: {holder}. Wait queue: {queue}.␊STATEMENT: "
    " {statement}",
    "got": "process {pid} acquired {mode} on relation {relation} of database 16401 after {ms}.551"
    " ms␊STATEMENT:  {statement}",
    "no_column": 'column "{column}" of relation "{table}" does not exist',
    "stopping": "received fast shutdown request",
    "promoted": "received promote request",
    "timeline": "selected new timeline ID: {n}",
    "ready": "database system is ready to accept connections",
    "slow": "duration: {ms}.402 ms  statement: {statement}",
    "vacuum": 'automatic vacuum of table "shop.public.{table}": index scans: 1',
    "checkpoint": "checkpoint starting: time",
}
MARIADB: Server = {
    "deadlock": "Deadlock found when trying to get lock; try restarting transaction",
    "lock_timeout": "Lock wait timeout exceeded; try restarting transaction",
    "statement_timeout": "Query execution was interrupted (max_statement_time exceeded)",
    "read_only": "The MariaDB server is running with the --read-only option so it cannot execute"
    " this statement",
    "ended": "Aborted connection to db: 'shop' user: 'app' host: '10.60.4.18' (CLOSE_CONNECTION)",
    "too_many": "Too many connections",
    "not_ready": "Can't connect to server on 'db-a' (115)",
    "no_column": "Unknown column '{column}' in 'INSERT INTO'",
    "stopping": "mariadbd (initiated by: root[root] @ localhost []): Normal shutdown",
    "promoted": "Deleted Master_info file '/var/lib/mysql/master.info'.",
    "timeline": "Slave SQL thread exiting, replication stopped in log 'mysql-bin.0000{n}'",
    "ready": "mariadbd: ready for connections. Version: '10.11.6-MariaDB-log'",
    "slow": "Slow query: Query_time: {ms} ms  Rows_examined: 184220  {statement}",
    "vacuum": "InnoDB: page_cleaner: 1000ms intended loop took 1204ms for {table}",
    "checkpoint": "InnoDB: Buffer pool(s) dump completed",
}
SERVERS: Mapping[str, Server] = {
    "french": FRENCH,
    "spanish": SPANISH,
    "english": ENGLISH,
    "mariadb": MARIADB,
}
POSTGRES = ("french", "spanish", "english")
