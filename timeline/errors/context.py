"""Patterns that read the surroundings of a wording: is this an error, in which phase, how deep.

Rust regexes and literals only; standard library. What they decide is in `matcher`.
"""

from __future__ import annotations

WARN = 13
"""OpenTelemetry severity_number of WARN, where ordinary words begin to count as errors."""

EXCEPTION_SHAPE = (
    r"[A-Za-z0-9](?:Error|Exception|Timeout|Failure)\b|\bError\b|\bTraceback\b|Errno\b"
    r"|\n\s*(?:at|from|File|in) |\*\* \("
    r"|\b(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC|ERR|CRIT|WARN|WARNING|EMERG|ALERT)\b"
    r"|(?i:\b(?:log)?level[\"']?\s*[=:]\s*[\"']?(?:err|warn|fatal|crit|panic))"
    r"|(?i:\[(?:error|err|warn|warning|crit|alert|emerg|fatal)\])"
    r"|\b(?:err|error|cause|panic|exception)[\"']?\]?\s*[=:]"
    r"|\b(?:[Ff]ailed|[Uu]nable|[Cc]ould not|[Cc]annot) (?:to|connect|open|read|write|fetch|send)\b"
    r"|\bcode[\"']?\s*[:=]\s*[\"']?E[A-Z]{3}"
    r"|\bE(?:PIPE|CONN[A-Z]+|TIMEDOUT|HOSTUNREACH|NETUNREACH|MFILE)\b.{0,40}\b(?:at|from) "
)
"""What only failing lines look like; lets weak wordings count when no severity was recorded."""

EMPTY_ERROR_FIELD = (
    r"(?i)\b(?:err(?:or)?s?|exceptions?|cause|panics?|fatal|warn(?:ing)?s?)(?:_?count)?[\"']?"
    r"\s*[=:]\s*[\"']?(?:null|nil|none|false|undefined|0|\"\")(?:\b|$)"
)
"""`error=nil`, `"errors": 0`: fields that say there was no error; cut out before the shape is
looked for."""

MENTION_BEFORE = (
    r"(?i)(?:^|[\s(\[\"'=:])(?:no|0|zero|without|never|if|when|whenever|any|handles?|handling|"
    r"retry_on|retries? on|retryable|simulated?|simulating|testing|test)"
    r"(?:\s+(?:a|an|any|the|more))?[\s:=\"'\[]+$"
)
MENTION_AFTER = (
    r"(?i)^(?:s|es)?(?:[\s_-]+(?:errors?|count|events?|policy|handler|handling|threshold|budget|"
    r"setting))+\b|^[\s\"']*[:=]\s*[\"']?(?:0|false|off|none|null|nil)(?:[^\w.]|$)"
)
"""A wording talked about, not reported: "retry on connection reset", "broken pipe errors: 0"."""

MENTION_CHARS = 28
"""Bytes read on either side of a hit for the two patterns above."""

PYTHON_CHAIN = (
    "During handling of the above exception, another exception occurred",
    "The above exception was the direct cause of the following exception",
)
"""Python prints the innermost exception first; each of these lines begins a more outer one."""

CAUSE_CHAIN = ("Caused by", "[cause]:", "cause:", "Causes:", "Cause:")
"""Java, Clojure, Node, Ruby and urllib3 print the outermost first; each of these goes inwards."""

AFTER_PYTHON_CHAIN = rf"(?s)^.*(?:{'|'.join(PYTHON_CHAIN)})"

COMMITTING = (
    r"\bCOMMIT\b|\.commit\(|\bin commit\b|commit_db_transaction|doCommit|\b[Tt]x\.Commit\b"
    r"|\bcommit: |(?i:\bcommit(?:ting)? (?:transaction|tx|failed|error)|\btx commit\b"
    r"|\b(?:could not|failed to|unable to|cannot|error|while|during|on) commit(?:ting)?\b)"
)
CONNECTING = (
    r"connection to server at|while connecting to upstream|Failed to open TCP connection"
    r"|dial (?:tcp|udp|unix)|connect\(2\)|connect\(\) |Connect call failed|NewConnectionError"
    r"|Failed to establish a new connection|Cannot connect to host|Can't connect to|CannotConnect"
    r"|java\.net\.ConnectException|ConnectTimeout(?:Error|Exception)?\b|ConnectError\b"
    r"|\(connect timeout=|connect E[A-Z]+|startHandshake\("
    r"|(?:during|opening|in SSL|the) handshake\b"
    r"|(?:TLS|SSL|AMQP) handshake (?:failed|failure|error|timeout)|SSL_connect|SSL_do_handshake"
    r"|initial communication packet|authorization packet|Error -?\d+ connecting to"
    r"|Error connecting to Redis|Timeout connecting to|could not connect to server|OpenTimeout"
    r"|TCPConnectionFailed|tcp connect (?:\(|error)|AMQPConnector|error trying to connect"
    r"|client error \(Connect\)|while establishing a connection|pre-login handshake|ORA-12170"
    r"|Connect timeout|DBI connect\(|Can't reach database server|attempt to connect to"
    r"|failed_connect|httpcore\.Connect|ssh: connect to"
)
REQUESTING = (
    r"while (?:reading|sending)|read(?:ing)? from (?:socket|upstream)|(?:read|write) tcp"
    r"|during query|Read timed out|read timeout=|ReadTimeout|WriteTimeout|ReadError\b|WriteError\b"
    r"|awaiting |sending to the backend|recv\(\) failed|send\(\) failed|Error while reading from"
    r"|writing to socket|read ECONNRESET|write E[A-Z]+|without response|without sending a response"
    r"|sending the request to the server|receiving results from the server|tcp (?:recv|send)"
    r"|closed before message completed|Timeout performing|Timeout awaiting '(?:request|response)'"
    r"|SocketInputStream|NioSocketImpl\.(?:implRead|timedRead)|socketRead|read error on connection"
)
"""How far the operation had come. Only wordings that prove the phase; guesses stay unknown."""
