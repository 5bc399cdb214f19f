"""Calls to AWS: an allow-list of actions that only read, through which everything goes.

`AWSReads.call` refuses an action that is not in `ACTIONS` before a byte leaves. The list is short
on purpose: ReceiveMessage hides messages and counts a receive (three of which may send them to the
dead-letter queue), StartQuery leaves a query behind that costs by the gigabyte.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.answers import at, text
from connectors.aws import AWSOptions, Identity
from connectors.clock_sampling import ClockSample
from connectors.logs.jsonshape import JsonValue
from connectors.web import Answer, Reach, Web
from timeline.clean import clean
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
    quoted,
)
from timeline.window import SECOND_NS


@dataclass(frozen=True, slots=True)
class Service:
    """How one service of AWS is spoken to: JSON over POST."""

    prefix: str
    """Of the endpoint, and the name it is signed for."""
    target: str
    version: str
    iam: str
    """What its actions begin with in a policy."""


SQS = Service("sqs", "AmazonSQS", "1.0", "sqs")
CLOUDWATCH = Service("monitoring", "GraniteServiceVersion20100801", "1.0", "cloudwatch")
LOGS = Service("logs", "Logs_20140328", "1.1", "logs")

ACTIONS: Mapping[Service, frozenset[str]] = {
    SQS: frozenset(
        ["ListQueues", "GetQueueUrl", "GetQueueAttributes", "ListDeadLetterSourceQueues"]
    ),
    CLOUDWATCH: frozenset(["GetMetricData"]),
    LOGS: frozenset(["DescribeLogGroups", "FilterLogEvents"]),
}
"""All that is ever asked of AWS."""


ATTEMPTS = 3
FIRST_PAUSE_S = 0.4
"""Pause before the second attempt of a call that was throttled; doubled each time. FilterLogEvents
is allowed five to ten times a second in one account (CloudWatch Logs quotas)."""
SAMPLE_PAUSE_S = 0.13
"""Nine readings spread over a second: at least one falls just after the second changed."""
REASON_CHARACTERS = 300
THROTTLED = frozenset(
    [
        "Throttling",
        "ThrottlingException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "LimitExceededException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalFailure",
    ]
)
EXPIRED = frozenset(["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
UNKNOWN_IDENTITY = frozenset(
    [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
    ]
)
DENIED = frozenset(["AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized"])
ABSENT = frozenset(
    [
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NonExistentQueue",
        "ResourceNotFoundException",
    ]
)


class ActionRefused(ValueError):
    """An action is not on the allow-list. Nothing was sent. A bug of ours."""


class Absent(Misconfigured):
    """The queue or log group does not exist in this account and region."""


def permitted(service: Service, action: str) -> str:
    """The action's name as it is sent; raises `ActionRefused` when it is not allowed."""
    if action not in ACTIONS.get(service, frozenset()):
        raise ActionRefused(f"{service.iam}:{action} is not a read that halfawake may send")
    return f"{service.target}.{action}"


def iam_words(*actions: str) -> str:
    """Why `check` cannot tell what an identity may do, and how its owner can."""
    return (
        f"AWS tells an identity nothing of its own rights; check that {', '.join(actions)} are "
        "denied: aws iam simulate-principal-policy --policy-source-arn ARN --action-names "
        f"{' '.join(actions)}"
    )


class AWSReads:
    """One source's calls: two connections, signed by one identity."""

    def __init__(self, options: AWSOptions) -> None:
        self._identity = Identity(options.region, options.profile, options.endpoint_url)
        self._web = Web(Reach("AWS", "aws", options.connect_timeout_s, options.read_timeout_s))

    def __repr__(self) -> str:
        return f"AWSReads({self._identity.words})"

    def unreported_bytes(self) -> int:
        """What travelled since this was last asked."""
        return self._web.unreported()

    async def region(self, service: Service) -> str:
        """The region that is asked. Raises `SourceProblem`."""
        return (await self._identity.endpoint(service.prefix)).region

    async def call(
        self,
        service: Service,
        action: str,
        parameters: Mapping[str, JsonValue],
        deadline: float | None = None,
    ) -> JsonValue:
        """The JSON answer. Raises `SourceProblem`; `ActionRefused` before anything is sent.

        A throttled call is repeated twice; after that it is `Overloaded`.
        """
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            answer = await self._once(service, action, parameters, deadline)
            if answer.status == 200:
                return answer.content()
            problem = refusal(answer, service, action, self._identity.remedy)
            late = deadline is not None and time.monotonic() + pause >= deadline
            if attempt == ATTEMPTS or late or not isinstance(problem, Overloaded):
                raise problem
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def sample_clock(
        self, service: Service, action: str, parameters: Mapping[str, JsonValue], count: int
    ) -> list[ClockSample]:
        """Readings of the Date header, a whole second each, spread over one second."""
        samples = []
        for number in range(count):
            if number:
                await asyncio.sleep(SAMPLE_PAUSE_S)
            before, started = time.time_ns(), time.monotonic_ns()
            answer = await self._once(service, action, parameters, None)
            after = before + time.monotonic_ns() - started
            if answer.status != 200:
                raise refusal(answer, service, action, self._identity.remedy)
            if answer.stamp is not None:
                samples.append(ClockSample(before, answer.stamp, after, SECOND_NS))
        return samples

    async def close(self) -> None:
        await self._web.close()

    async def _once(
        self,
        service: Service,
        action: str,
        parameters: Mapping[str, JsonValue],
        deadline: float | None,
    ) -> Answer:
        target = permitted(service, action)
        endpoint = await self._identity.endpoint(service.prefix)
        url, body = f"{endpoint.url}/", json.dumps(parameters).encode()
        headers = {
            "content-type": f"application/x-amz-json-{service.version}",
            "x-amz-target": target,
        }
        signed = await self._identity.signed("POST", url, headers, body, service.prefix)
        where = f"{endpoint.url.partition('://')[2]}, {endpoint.region}, {action}"
        return await self._web.send("POST", url, where, signed, body, deadline)


def refusal(answer: Answer, service: Service, action: str, remedy: str) -> SourceProblem:
    """What an answer that is no success means."""
    code, said = _error_in(answer)
    tail = f": {said}" if said else ""
    if code in THROTTLED or answer.status in (429, 502, 503, 504):
        return Overloaded(
            f"AWS turns us away (HTTP {answer.status}, {code or 'no reason given'}){tail}",
            where=answer.where,
            remedy="That is evidence too: others may be throttled as well. Try again.",
        )
    if code in EXPIRED:
        return AccessRefused("The AWS login has expired", where=answer.where, remedy=remedy)
    if code in UNKNOWN_IDENTITY:
        skewed = "expired" in said.lower() or "not yet" in said.lower()
        return AccessRefused(
            f"AWS does not accept the signature ({code}){tail}",
            where=answer.where,
            remedy="Set this machine's clock right: it is minutes off." if skewed else remedy,
        )
    if code in DENIED or answer.status == 403:
        return AccessRefused(
            f"The AWS identity may not do this{tail}",
            where=answer.where,
            remedy=f"Allow it {service.iam}:{action}.",
        )
    if code in ABSENT:
        return Absent(
            f"It does not exist in this account and region{tail}",
            where=answer.where,
            remedy="Correct the name, region or profile.",
        )
    return BadAnswer(
        f"AWS answered HTTP {answer.status}, {code or 'no reason given'}{tail}", where=answer.where
    )


def _error_in(answer: Answer) -> tuple[str, str]:
    """Code and message: `com.amazonaws.sqs#QueueDoesNotExist` is `QueueDoesNotExist`."""
    try:
        content = answer.content()
    except BadAnswer:
        content = None
    code = text(at(content, "__type")) or answer.headers.get("x-amzn-errortype", "")
    code = code.rpartition("#")[2].partition(":")[0]
    said = text(at(content, "message")) or text(at(content, "Message"))
    return clean(code)[:80], quoted(said, REASON_CHARACTERS)
