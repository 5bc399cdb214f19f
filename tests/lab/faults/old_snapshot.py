"""A service reads everything in one transaction that it never ends: under REPEATABLE READ it goes
on seeing the rows of its first look, and does not find what was committed since."""

from __future__ import annotations

import secrets
import time

from tests.lab.faults.account_table import accounts_of, add
from tests.lab.faults.mariadb_client import connected
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

OLD, NEW = range(1, 11), range(11, 23)


def break_it(yard: Yard) -> Wrong:
    server = accounts_of(yard, OLD)
    shop, dispatch = yard.service("shop"), yard.service("dispatch")
    with connected(server.url, autocommit=True) as writer, connected(server.url) as reader:
        for account in (*OLD, *NEW):
            if account in NEW:
                add(writer, account)
                request = secrets.token_hex(8)
                shop.info("POST /accounts 201 request_id=%s account_id=%s", request, account)
            time.sleep(0.2)
            request = secrets.token_hex(8)
            told = f"/accounts/{account}/dispatch", request, account
            with reader.cursor() as cursor:
                found = cursor.execute("SELECT points FROM accounts WHERE id = %s", (account,))
            assert bool(found) == (account in OLD)
            if found:
                dispatch.info("POST %s 200 request_id=%s account_id=%s", *told)
            else:
                words = "POST %s 404 request_id=%s account_id=%s: Account %s not found"
                dispatch.error(words, *told, account)
    return Wrong("stale-read", (f"account:{NEW[0]}", f"account:{NEW[-1]}"))
