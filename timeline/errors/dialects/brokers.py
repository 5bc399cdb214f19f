"""What message brokers and their clients say beyond the common texts.

Data only. Kafka's Java client, librdkafka, RabbitMQ, Azure Service Bus, SQS, Pub/Sub.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
_CLOSED = ErrorClass.CLOSED
_POOL = ErrorClass.POOL
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_EXCEPTION = Evidence.EXCEPTION
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _READ, _A, "Kafka", "org.apache.kafka.common.errors.TimeoutException", evidence=_UMBRELLA
    ),
    *known(
        _CONNECT,
        _N,
        "Kafka",
        "not present in metadata after",
        "Failed to update metadata after",
        "Timeout expired while fetching topic metadata",
    ),
    *known(
        _CLOSED,
        _A,
        "Kafka",
        "The server disconnected before a response was received",
        "errors.DisconnectException",
        "(id: -1 rack: null) disconnected",
    ),
    *known(
        _STATE,
        _N,
        "Kafka",
        "NotLeaderOrFollowerException",
        "UnknownTopicOrPartitionException",
        "CoordinatorNotAvailableException",
        "NotCoordinatorException",
        "LeaderNotAvailableException",
        "RecordTooLargeException",
        "LEADER_NOT_AVAILABLE",
        "COORDINATOR_NOT_AVAILABLE",
        "GROUP_COORDINATOR_NOT_AVAILABLE",
        "MESSAGE_TOO_LARGE",
        exact_case=True,
    ),
    *known(
        _STATE,
        _N,
        "Kafka",
        "This server does not host this topic-partition",
        "This server is not the leader for that topic-partition",
        "The coordinator is not available",
        "There is no leader for this topic-partition",
    ),
    *known(
        _STATE,
        _R,
        "Kafka",
        "ProducerFencedException",
        "InvalidProducerEpochException",
        evidence=_EXCEPTION,
    ),
    *known(
        _STATE,
        _A,
        "Kafka",
        "RebalanceInProgressException",
        "UnknownMemberIdException",
        "REBALANCE_IN_PROGRESS",
        "The coordinator is not aware of this member",
        "ILLEGAL_GENERATION",
    ),
    *known(
        _POOL,
        _N,
        "Kafka",
        "Failed to allocate memory within the configured max blocking time",
        "BufferExhaustedException",
    ),
    *known(
        _READ,
        _A,
        "librdkafka",
        "Local: Timed out",
        "Broker: Request timed out",
        "request(s) timed out: disconnect",
    ),
    *known(_POOL, _N, "librdkafka", "Local: Queue full"),
    *known(_CLOSED, _A, "librdkafka", "Disconnected (after *ms in state UP"),
    *known(
        _STATE,
        _N,
        "librdkafka",
        "Broker: Not leader for partition",
        "Broker: Leader not available",
        "Broker: Coordinator not available",
        "Broker: Message size too large",
    ),
    *known(
        _STATE,
        _A,
        "librdkafka",
        "Application maximum poll interval",
        "Local: Maximum application poll interval",
    ),
    *known(
        _STATE,
        _N,
        "RabbitMQ",
        "resource limit alarm set on node",
        "publishers will be blocked until this alarm clears",
        "RESOURCE_LOCKED",
        "ACCESS_REFUSED",
        "Connection blocked: low on",
        exact_case=True,
    ),
    *known(_STATE, _A, "RabbitMQ", "PRECONDITION_FAILED", exact_case=True),
    *known(_MISSING, _R, "RabbitMQ", "NOT_FOUND - no queue", "NOT_FOUND - no exchange"),
    *known(
        _STATE,
        _A,
        "Service Bus, SQS, Pub/Sub",
        "MessageLockLost",
        "The lock supplied is invalid",
        "SessionLockLost",
        "ReceiptHandleIsInvalid",
        "The receipt handle has expired",
    ),
    *known(
        _CLOSED,
        _A,
        "Service Bus",
        "ServiceCommunicationProblem",
        "The link * is force detached",
        evidence=_UMBRELLA,
    ),
    *known(_READ, _A, "Service Bus", "ServiceTimeout)", evidence=_UMBRELLA),
)
