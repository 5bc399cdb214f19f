"""Job functions that the RQ tests enqueue and run for real; importable by a worker."""

from __future__ import annotations


def welcome_mail(user_id: int) -> str:
    return f"mail to {user_id}"


def look_up(user_id: int) -> None:
    raise LookupError(f"User {user_id} not found")


def look_up_hostile(user_id: int) -> None:
    raise LookupError(f"User {user_id} \x1b[31mgone\u202e\r\nnext line")
