"""What an account could change in Redis: asked of the server with `ACL DRYRUN`, never tried.

`ACL DRYRUN user command …` (Redis 7.0) answers whether a user may run a command and runs nothing;
a "no" leaves no entry in `ACL LOG` (measured on 7.0.15). The question itself is a command with a
right of its own, and being refused it would leave one. So a named account is asked about only when
the configuration says that it has the right; the account `default`, which may do everything unless
somebody curtailed it, is asked about in any case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from connectors.redis_marks import information
from connectors.redis_reads import ASKING_RULES, Failure, RedisReads, Reply
from timeline.clean import clean

ACCOUNTS_SINCE, DRYRUN_SINCE = 6, 7
"""Major versions: before the first, whoever reaches Redis may do everything."""
DEFAULT_USER = "default"
NAMED = 6
"""Commands named of those that are allowed; the rest is counted."""

WRITES = """
append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy decr decrby
del expire expireat flushall flushdb function|delete function|flush function|load function|restore
geoadd georadius georadiusbymember geosearchstore getdel getex getset hdel hincrby hincrbyfloat
hmset hset hsetnx incr incrby incrbyfloat linsert lmove lmpop lpop lpush lpushx lrem lset ltrim
migrate move mset msetnx persist pexpire pexpireat pfadd pfdebug pfmerge psetex rename renamenx
restore restore-asking rpop rpoplpush rpush rpushx sadd sdiffstore set setbit setex setnx setrange
sinterstore smove sort spop srem sunionstore swapdb unlink xack xadd xautoclaim xclaim xdel
xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid xreadgroup xsetid
xtrim zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin zrangestore zrem zremrangebylex
zremrangebyrank zremrangebyscore zunionstore
"""
"""All that Redis 7.0 counts to the category @write."""
NEWER_WRITES = """
delifeq hexpire hexpireat hgetdel hgetex hpersist hpexpire hpexpireat hsetex msetex vadd vrem
vsetattr xackdel xdelex json.arrappend json.arrinsert json.arrpop json.arrtrim json.clear json.del
json.merge json.mset json.numincrby json.set json.strappend json.toggle bf.add bf.insert bf.madd
bf.reserve cf.add cf.addnx cf.del cf.insert cf.reserve cms.incrby cms.initbydim topk.add
topk.reserve tdigest.add tdigest.create ts.add ts.alter ts.create ts.del ts.madd ft.alter ft.create
ft.dropindex
"""
"""Came with Redis 7.4 to 8.4, Valkey 9 and the modules of Redis 8 (their documentation); a server
that does not know one says so."""
CONTROLS = """
acl|deluser acl|load acl|setuser client|kill client|pause config|resetstat config|rewrite config|set
debug failover latency|reset module|load module|unload publish replicaof save script|flush shutdown
slaveof slowlog|reset spublish
"""
"""Change no key, but the server, its accounts, or what its other clients get."""

EXACT_WORDS: Mapping[int, str] = {
    1: "save",
    2: "acl|load config|resetstat config|rewrite decr getdel incr persist slowlog|reset",
    3: "append decrby delifeq function|delete getset incrby incrbyfloat module|unload move pfdebug "
    "publish rename renamenx replicaof rpoplpush setnx slaveof spublish swapdb",
    4: "brpoplpush hincrby hincrbyfloat hsetnx lrem lset ltrim psetex setbit setex setrange smove "
    "xgroup|destroy zincrby zremrangebylex zremrangebyrank zremrangebyscore",
    5: "linsert lmove xgroup|createconsumer xgroup|delconsumer",
    6: "blmove",
}
"""How many words a command has, where it takes a certain number; DRYRUN insists on it."""
MOST_WORDS = 8
"""Enough for every other command: the longest shortest form is GEOSEARCHSTORE's."""
WRITING_FORMS: Mapping[str, str] = {
    "bitfield": "1 set u8 1 1",
    "georadius": "1 1 1 1 m store 1",
    "georadiusbymember": "1 1 1 m store 1",
    "sort": "1 store 1",
    "xreadgroup": "group 1 1 streams 1 >",
}
"""Words of commands that also have a form which only reads, or that hide where their keys are."""
FILLER = "1"
"""Stands for every key, value and count of a command that is never run."""
KNOWN_MODULES = frozenset(["bf", "ReJSON", "search", "searchlight", "timeseries", "vectorset"])
"""Modules whose writing commands stand in `NEWER_WRITES`."""

NOT_ASKED = (
    "an account may ask what it may do only with the rules {rules}; give it those, then set "
    "ask_rights = true (refused, the question would stand in the server's ACL LOG)"
)
TOO_OLD = (
    "Redis {version} cannot be asked what an account may do (ACL DRYRUN came with 7.0): as an "
    "administrator compare ACL GETUSER with the rules that suffice"
)
NO_ACCOUNTS = "Redis {version} has no accounts: whoever reaches it may do everything"
REPLICA = "this is a read-only replica: it refuses writes to every account"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refused` as in `CheckReport.writes_refused`; `said` are the sentences it rests on."""

    refused: bool | None
    said: tuple[str, ...]


async def rights_of(
    redis: RedisReads, info: Reply, *, url: str, ask_rights: bool | None = None
) -> Verdict:
    """The verdict for the account of this connection. Raises `SourceProblem`.

    `info` is the reply to INFO, `url` what we log in with. `ask_rights`: True when the account
    is known to have `ASKING_RULES`, False to ask nothing, None to ask about `default` only.
    """
    facts = information(info)
    verdict = await _asked(redis, facts, info, url, ask_rights)
    replica = facts.get("role") == "slave" and facts.get("slave_read_only") == "1"
    if replica and verdict.refused is None:
        return Verdict(True, (REPLICA,))
    return verdict


async def _asked(
    redis: RedisReads, facts: Mapping[str, str], info: Reply, url: str, ask_rights: bool | None
) -> Verdict:
    version = facts.get("redis_version", "")
    major = int(first) if (first := version.partition(".")[0]).isdecimal() else 0
    if 0 < major < ACCOUNTS_SINCE:
        return Verdict(False, (NO_ACCOUNTS.format(version=version),))
    if ask_rights is False or (ask_rights is None and not is_default(url)):
        return Verdict(None, (NOT_ASKED.format(rules=ASKING_RULES),))
    if major < DRYRUN_SINCE:
        return Verdict(None, (TOO_OLD.format(version=version or "of unknown version"),))
    name = await redis.many([("ACL WHOAMI",)])
    if not isinstance(name[0], bytes):
        return Verdict(None, (f"the server would not say who asks: {_complaint(name[0])}",))
    user = name[0].decode("utf-8", "surrogateescape")
    probes = [("ACL DRYRUN", user, *_words(command)) for command in commands()]
    first_answer = await redis.many(probes[:1])  # refused, it is refused once and not 200 times
    if isinstance(first_answer[0], Failure):
        return Verdict(None, (f"the server would not say more: {first_answer[0].message}",))
    answers = [*first_answer, *await redis.many(probes[1:])]
    return verdict_of(clean(user), answers, _other_modules(info))


def verdict_of(user: str, answers: Sequence[Reply | Failure], modules: Sequence[str]) -> Verdict:
    """What the answers about `commands()`, in their order, mean. `user` is cleaned."""
    allowed, elsewhere, refused, unclear = [], [], 0, []
    for command, answer in zip(commands(), answers, strict=True):
        if isinstance(answer, Failure):
            if "not found" not in answer.message:  # it is no command of this server
                unclear.append(command)
        elif answer == b"OK":
            allowed.append(command)
        elif isinstance(answer, bytes) and b"to run the" in answer:
            refused += 1
        else:
            elsewhere.append(command)
    asked = len(allowed) + len(elsewhere) + len(unclear) + refused
    what = f"{asked} commands that change data or the server were asked about (ACL DRYRUN {user})"
    if allowed:
        return Verdict(False, (f"{what}: {len(allowed)} allowed, {_few(allowed)}",))
    if elsewhere:
        which = f"{len(elsewhere)} allowed on certain keys or channels only, {_few(elsewhere)}"
        return Verdict(None, (f"{what}: {which}; ACL GETUSER tells an administrator which",))
    if unclear or not refused:
        return Verdict(None, (f"{what}: no clear answer for {_few(unclear) or 'any'}",))
    if modules:
        also = f"commands of the module {', '.join(modules)} were not asked about"
        return Verdict(None, (f"{what}: none is allowed", also))
    return Verdict(True, (f"{what}: none is allowed",))


def commands() -> tuple[str, ...]:
    """What is asked about, by its name in `COMMAND LIST`."""
    return tuple(f"{WRITES} {NEWER_WRITES} {CONTROLS}".split())


def is_default(url: str) -> bool:
    """Whether this URL logs in as Redis' own account `default`: it names no other."""
    return unquote(urlsplit(url).username or DEFAULT_USER) == DEFAULT_USER


def _words(command: str) -> tuple[str, ...]:
    if command in WRITING_FORMS:
        return (command, *WRITING_FORMS[command].split())
    exact = (count for count, names in EXACT_WORDS.items() if command in names.split())
    words = command.split("|")
    return (*words, *[FILLER] * (next(exact, MOST_WORDS) - len(words)))


def _other_modules(info: Reply) -> list[str]:
    """Names of loaded modules whose commands are not known here."""
    return sorted(set(_modules(info)) - KNOWN_MODULES)


def _modules(info: Reply) -> Iterator[str]:
    text = info.decode("utf-8", "replace") if isinstance(info, bytes) else ""
    for line in text.splitlines():
        if line.startswith("module:name="):
            yield clean(line.removeprefix("module:name=").partition(",")[0])


def _complaint(answer: Reply | Failure) -> str:
    return answer.message if isinstance(answer, Failure) else "it gave no name"


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(name.replace("|", " ").upper() for name in names[:NAMED])
    return f"{shown}, …" if len(names) > NAMED else shown
