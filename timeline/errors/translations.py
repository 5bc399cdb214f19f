"""Wordings that servers and the C library translate, and the English text each stands for.

Data only. PostgreSQL (`lc_messages`), MySQL (`lc_messages`), glibc's strerror and Windows speak the
language of their host, and drivers quote them. A translated wording is replaced by its English
text before the table is searched, so class, outcome and phase are said once. Codes are in `codes`;
they survive translation by themselves. All from general knowledge of the catalogues.
"""

from __future__ import annotations

_REFUSED = "Connection refused"
_TIMED_OUT = "Connection timed out"
_RESET = "Connection reset by peer"
_PIPE = "Broken pipe"
_ROUTE = "No route to host"
_NETWORK = "Network is unreachable"
_NAME = "Name or service not known"
_RESOLUTION = "Temporary failure in name resolution"
_DEADLOCK = "deadlock detected"
_CLIENTS = "sorry, too many clients already"
_DUPLICATE = "duplicate key value violates unique constraint"
_LOCK = "canceling statement due to lock timeout"
_STATEMENT = "canceling statement due to statement timeout"
_ADMIN = "terminating connection due to administrator command"
_STARTING = "the database system is starting up"
_STOPPING = "the database system is shutting down"
_SERVER_CLOSED = "server closed the connection unexpectedly"
_SERIALIZE = "could not serialize access due to concurrent update"
_ACTIVELY = "No connection could be made because the target machine actively refused it"
_FORCIBLY = "An existing connection was forcibly closed by the remote host"

_GERMAN: dict[str, str] = {
    "Verbindungsaufbau abgelehnt": _REFUSED,
    "Die Wartezeit für die Verbindung ist abgelaufen": _TIMED_OUT,
    "Die Verbindung wurde vom Kommunikationspartner zurückgesetzt": _RESET,
    "Datenübergabe unterbrochen (broken pipe)": _PIPE,
    "Keine Route zum Zielrechner": _ROUTE,
    "Das Netzwerk ist nicht erreichbar": _NETWORK,
    "Name oder Dienst nicht bekannt": _NAME,
    "Temporärer Fehler bei der Namensauflösung": _RESOLUTION,
    "Verklemmung (Deadlock) entdeckt": _DEADLOCK,
    "tut mir leid, schon zu viele Verbindungen": _CLIENTS,
    "doppelter Schlüsselwert verletzt Unique-Constraint": _DUPLICATE,
    "storniere Anfrage wegen Zeitüberschreitung einer Sperre": _LOCK,
    "storniere Anfrage wegen Zeitüberschreitung der Anfrage": _STATEMENT,
    "Verbindung wird abgebrochen aufgrund von Anweisung des Administrators": _ADMIN,
    "das Datenbanksystem startet": _STARTING,
    "das Datenbanksystem fährt herunter": _STOPPING,
    "Server beendete die Verbindung unerwartet": _SERVER_CLOSED,
    "konnte Zugriff nicht serialisieren wegen gleichzeitiger Aktualisierung": _SERIALIZE,
    "da der Zielcomputer die Verbindung verweigerte": _ACTIVELY,
    "Eine vorhandene Verbindung wurde vom Remotehost geschlossen": _FORCIBLY,
}
_FRENCH: dict[str, str] = {
    "Connexion refusée": _REFUSED,
    "Connexion terminée par expiration du délai d'attente": _TIMED_OUT,
    "Connexion ré-initialisée par le correspondant": _RESET,
    "Relais brisé (pipe)": _PIPE,
    "Aucun chemin d'accès pour atteindre l'hôte cible": _ROUTE,
    "Le réseau n'est pas accessible": _NETWORK,
    "Nom ou service inconnu": _NAME,
    "Échec temporaire dans la résolution du nom": _RESOLUTION,
    "interblocage (deadlock) détecté": _DEADLOCK,
    "désolé, trop de clients sont déjà connectés": _CLIENTS,
    "la valeur d'une clé dupliquée rompt la contrainte unique": _DUPLICATE,
    "à cause du délai écoulé pour l'obtention des verrous": _LOCK,
    "à cause du délai écoulé pour l'exécution de l'instruction": _STATEMENT,
    "arrêt des connexions suite à la demande de l'administrateur": _ADMIN,
    "le système de bases de données se lance": _STARTING,
    "le système de base de données s'arrête": _STOPPING,
    "le serveur a fermé la connexion de façon inattendue": _SERVER_CLOSED,
    "n'a pas pu sérialiser un accès à cause d'une mise à jour en parallèle": _SERIALIZE,
    "car l'ordinateur cible l'a expressément refusée": _ACTIVELY,
}
_SPANISH: dict[str, str] = {
    "Conexión rehusada": _REFUSED,
    "Expiró el tiempo de conexión": _TIMED_OUT,
    "Conexión reinicializada por la máquina remota": _RESET,
    "Tubería rota": _PIPE,
    "La red es inaccesible": _NETWORK,
    "Nombre o servicio desconocido": _NAME,
    "Fallo temporal en la resolución del nombre": _RESOLUTION,
    "se ha detectado un deadlock": _DEADLOCK,
    "lo siento, ya tenemos demasiados clientes": _CLIENTS,
    "llave duplicada viola restricción de unicidad": _DUPLICATE,
    "debido a que se agotó el tiempo de espera de candados": _LOCK,
    "debido a que se agotó el tiempo de espera de sentencias": _STATEMENT,
    "terminando la conexión debido a una orden del administrador": _ADMIN,
    "el sistema de base de datos está iniciándose": _STARTING,
    "el sistema de base de datos está apagándose": _STOPPING,
    "el servidor cerró la conexión inesperadamente": _SERVER_CLOSED,
}
_PORTUGUESE: dict[str, str] = {
    "Conexão recusada": _REFUSED,
    "Tempo esgotado para conexão": _TIMED_OUT,
    "Conexão fechada pela outra ponta": _RESET,
    "A rede está fora de alcance": _NETWORK,
    "Nome ou serviço desconhecido": _NAME,
    "Falha temporária na resolução de nome": _RESOLUTION,
    "desculpe, muitos clientes conectados": _CLIENTS,
    "duplicar valor da chave viola a restrição de unicidade": _DUPLICATE,
    "terminando conexão por causa de um comando do administrador": _ADMIN,
    "o sistema de banco de dados está iniciando": _STARTING,
    "o sistema de banco de dados está desligando": _STOPPING,
    "servidor fechou a conexão inesperadamente": _SERVER_CLOSED,
}
_RUSSIAN: dict[str, str] = {
    "В соединении отказано": _REFUSED,
    "Время ожидания соединения истекло": _TIMED_OUT,
    "Соединение разорвано другой стороной": _RESET,
    "Обрыв канала": _PIPE,
    "Нет маршрута до узла": _ROUTE,
    "Сеть недоступна": _NETWORK,
    "обнаружена взаимоблокировка": _DEADLOCK,
    "извините, уже слишком много клиентов": _CLIENTS,
    "повторяющееся значение ключа нарушает ограничение уникальности": _DUPLICATE,
    "выполнение оператора отменено из-за тайм-аута блокировки": _LOCK,
    "выполнение оператора отменено из-за тайм-аута": _STATEMENT,
    "закрытие подключения по команде администратора": _ADMIN,
    "система баз данных запускается": _STARTING,
    "система баз данных останавливается": _STOPPING,
    "не удалось сериализовать доступ из-за параллельного изменения": _SERIALIZE,
}
_JAPANESE: dict[str, str] = {
    "接続を拒否されました": _REFUSED,
    "接続がタイムアウトしました": _TIMED_OUT,
    "接続が相手からリセットされました": _RESET,
    "パイプが切断されました": _PIPE,
    "ホストへの経路がありません": _ROUTE,
    "ネットワークに到達できません": _NETWORK,
    "名前またはサービスが不明です": _NAME,
    "デッドロックを検出しました": _DEADLOCK,
    "現在クライアント数が多すぎます": _CLIENTS,
    "重複したキー値は一意性制約": _DUPLICATE,
    "ロックのタイムアウトのためステートメントをキャンセルしています": _LOCK,
    "ステートメントのタイムアウトのためステートメントをキャンセルしています": _STATEMENT,
    "管理者コマンドにより接続を終了しています": _ADMIN,
    "データベースシステムは起動処理中です": _STARTING,
    "データベースシステムはシャットダウンしています": _STOPPING,
}

TRANSLATIONS: dict[str, str] = _GERMAN | _FRENCH | _SPANISH | _PORTUGUESE | _RUSSIAN | _JAPANESE
"""Translated wording to English text, capitals as they are printed."""

SURROUNDINGS: dict[str, str] = {
    "FEHLER:": "ERROR:",
    "ERREUR:": "ERROR:",
    "ERREUR :": "ERROR:",
    "ERRO:": "ERROR:",
    "ОШИБКА:": "ERROR:",
    "ВАЖНО:": "FATAL:",
    "Verbindung zum Server auf »": 'connection to server at "',
    "la connexion au serveur sur « ": 'connection to server at "',
    "la connexion au serveur sur «": 'connection to server at "',
    "la conexión al servidor en «": 'connection to server at "',
    'conexão ao servidor em "': 'connection to server at "',
    "«": '"',
    " »": '"',
    "»": '"',
    ", Port ": ", port ",
    ", puerto ": ", port ",
    ", porta ": ", port ",
    "\u00a0": "",
}
"""What stands around such wordings and names severity, phase and peer."""
