"""How `lost-worker` words the signs of a loss, and what each queue does with what was held."""

from __future__ import annotations

RECOVERY = {
    "rq": "RQ fails it, or retries it if retries are left, when a worker next cleans up",
    "bullmq": "BullMQ runs it again when a worker next looks for stalled jobs, and fails it after "
    "too many stalls",
    "sidekiq": "Sidekiq loses it for ever, unless super_fetch (Sidekiq Pro) recovers it",
    "resque": "Resque files it as failed when the next worker starts, and does not retry it",
    "celery": "Celery delivers it again after the visibility timeout if it acknowledges late, and "
    "loses it otherwise",
    "dramatiq": "dramatiq gives it to another worker at some later command, to run again",
    "solid-queue": "Solid Queue files it as failed when its process is pruned; nobody retries it",
    "good-job": "GoodJob runs it again once the lock of the dead process is gone",
    "sqs": "SQS gives it out again after the visibility timeout",
    "rabbitmq": "RabbitMQ gives it out again once the connection is gone",
}
"""By default, from each queue's source or manual: RQ 3.0 (registry.py), BullMQ 6
(moveStalledJobsToWait), Sidekiq 8 (basic_fetch), Resque 3.0 (prune_dead_workers), Celery 5
on Redis, dramatiq 2 (dispatch.lua), Solid Queue 1, GoodJob 4, SQS and RabbitMQ manuals."""

SIGN_WORDS = {
    "declared": "when it was declared lost",
    "silent": "no heartbeat until then",
    "overdue": "its lease had run out by then",
    "killed": "the line that tells of the kill",
    "vanished": "its host gave no sign any more",
}


ROLES = {"silent": "last heartbeat", "overdue": "overdue", "vanished": "last sign of its host"}
