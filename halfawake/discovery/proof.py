"""Proves proposals: each is asked by its connector's own `check()`, and looked at by `sample()`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from connectors.discovery import Sampled, Samples
from halfawake import plugins
from halfawake.discovery.asking import Answered, all_of, ask, guarded, let_go
from halfawake.discovery.proposals import Proposal
from timeline.keys import KeyRules
from timeline.problems import Misconfigured, SourceProblem

if TYPE_CHECKING:
    from connectors.contract import Connector

PROVE_WITHIN_S = 5.0
"""A connect, a version and a clock. Somebody is waiting at the prompt."""
SAMPLE_WITHIN_S = 5.0
PER_SERVER = 2
"""Proposals asked at once that were found in one place: ten systems may live on one DATABASE_URL,
and a server in trouble has no ten connections to give."""


@dataclass(frozen=True)
class Proof:
    """One proposal and what became of it."""

    proposal: Proposal
    answered: Answered
    sampled: Sampled = field(default_factory=Sampled)


def prove(proposals: Sequence[Proposal]) -> list[Proof]:
    """Ask all of them at once, but few of one server; in the order of `proposals`."""
    doors = {proposal.found_in: asyncio.Semaphore(PER_SERVER) for proposal in proposals}
    asked = [partial(_proof, proposal, doors[proposal.found_in]) for proposal in proposals]
    return asyncio.run(all_of(asked))


async def _proof(proposal: Proposal, door: asyncio.Semaphore) -> Proof:
    async with door:
        return await _asked(proposal)


async def _asked(proposal: Proposal) -> Proof:
    try:
        connector = _connector(proposal)
    except SourceProblem as problem:
        return Proof(proposal, Answered(None, problem, 0.0))
    try:
        answered = await ask(connector, PROVE_WITHIN_S)
        if answered.report is None or not isinstance(connector, Samples):
            return Proof(proposal, answered)
        sampled, unread = await guarded(connector.sample, SAMPLE_WITHIN_S)
        if unread is not None:
            sampled = Sampled(notes=(f"its catalogue was not read: {unread.what}",))
        return Proof(proposal, answered, _usable(proposal, sampled or Sampled()))
    finally:
        await let_go(connector)


def _usable(proposal: Proposal, sampled: Sampled) -> Sampled:
    """What was sampled, without options that the connector itself would refuse."""
    from pydantic import ValidationError

    options = plugins.connector_class(proposal.connector).Options
    try:
        options.model_validate({**proposal.filled, **sampled.options})
    except ValidationError:
        return replace(sampled, options={})
    return sampled


def _connector(proposal: Proposal) -> Connector:
    """The connector as it would be configured. Raises `Misconfigured` without quoting a value."""
    from pydantic import ValidationError

    cls = plugins.connector_class(proposal.connector)
    try:
        options = cls.Options.model_validate(dict(proposal.filled))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "the options"
        what = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"{name}: {what}", where=proposal.found_in) from None
    return cls(proposal.name, options, KeyRules())
