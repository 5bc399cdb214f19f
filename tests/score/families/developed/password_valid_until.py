"""The database account of one service was made with a date to which its password is good.

That date has passed. Sessions that exist stay; a session that the pool opens anew is turned away.
As pools exchange theirs after some minutes, a little more fails with every minute, in one service
only. The client is told what anybody is told who types a wrong password; the server's own log knows
better.

A person sees it by: refused log-ins of one account from one instant on, none before; the detail
behind each in the server's log, which says that the password has expired; other accounts on the
same server, which come and go as ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

FATAL = 21
TOLD: Mapping[str, str] = {
    "spring": "org.springframework.jdbc.CannotGetJdbcConnectionException: Failed to obtain JDBC"
    " Connection; nested exception is org.postgresql.util.PSQLException: FATAL: {words}",
    "clojure": "org.postgresql.util.PSQLException: FATAL: {words}",
    "django": 'django.db.utils.OperationalError: connection to server at "{host}" (10.4.0.20), port'
    " 5432 failed: FATAL:  {words}",
    "rails": "ActiveRecord::DatabaseConnectionError: There is an issue connecting to your database"
    " with your username/password, username: {user}.",
    "node": "error: {words} code=28P01 routine=auth_failed",
    "go": "failed to connect to `user={user} database=shop`: 10.4.0.20:5432 ({host}): failed SASL"
    " auth: FATAL: {words} (SQLSTATE 28P01)",
    "elixir": "(DBConnection.ConnectionError) connection not available; Postgrex.Protocol failed to"
    " connect: ** (Postgrex.Error) FATAL 28P01 (invalid_password) {words}",
    "dotnet": "Npgsql.PostgresException (0x80004005): 28P01: {words}",
}


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    service = rng.choice(firm.backs)
    user = f"{service.name}_{rng.choice(('rw', 'app', 'svc'))}"
    words = f'password authentication failed for user "{user}"'
    error = TOLD[service.style_name].format(words=words, user=user, host=firm.database)
    _logins(world)
    hit, at = list[Entity](), world.onset_s
    gap = rng.uniform(18, 45)
    while at < world.end_s - 2:
        _refused(world, at, user, words)
        if not hit or rng.random() < 0.7:
            hit.append(_failed(world, at + 0.006, service.hosts, error))
        at += rng.expovariate(1 / gap) + 0.4
        gap = max(2.0, gap * 0.93)
    return fault(
        world, "expired", world.end_s, hit, also=("connections-exhausted",), effect=len(hit) >= 6
    )


def _logins(world: World) -> None:
    """Sessions of other accounts: `log_connections` is on."""
    rng, at = world.rng, 4.0
    while at < world.end_s - 1:
        user = rng.choice((f"{world.company.front.name}_app", "reporting", "metrics"))
        words = f"connection authorized: user={user} database=shop SSL enabled (protocol=TLSv1.3)"
        world.database_log(at, rng.randint(2_000, 30_000), words)
        at += rng.expovariate(1 / 25) + 1


def _refused(world: World, at: float, user: str, words: str) -> None:
    detail = (
        f'{words}␊DETAIL:  User "{user}" has an expired password.␊\tConnection matched file'
        ' "/etc/postgresql/16/main/pg_hba.conf" line 97: "hostssl shop all 10.0.0.0/8'
        ' scram-sha-256"'
    )
    world.database_log(at, world.rng.randint(2_000, 30_000), detail, FATAL)


def _failed(world: World, at: float, hosts: tuple[str, ...], error: str) -> Entity:
    """A request for which the pool had to open a session."""
    service = next(one for one in world.company.backs if one.hosts == hosts)
    told = {"method": "GET", "path": f"/{service.name}/items", "rid": world.request_id()}
    host = world.say(at - 0.02, service, "begin", told)
    failed = {**told, "error": error}
    world.say(at, service, "request_failed", failed, host=host, severity=SEVERITY_ERROR)
    world.say(at + 0.001, service, "end", {**told, "status": 500, "ms": 21}, host=host)
    return frozenset((f"request:{told['rid']}",))
