"""Keys: every spelling found, both engines agree, nothing that is no key becomes one."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.keys import KeyRules, KeyType, joinable, split_key, too_broad

RULES = KeyRules(
    types=(
        KeyType("order", ("order_id", "orderNumber"), (r"order #(\w+)",), "orders", "id"),
        KeyType("customer", ("user_id", "@customer"), (), "users", "id"),
        KeyType("member", ("user_id",)),
    )
)


def column_keys(rules: KeyRules, lines: list[str]) -> list[tuple[str, ...]]:
    found = rules.in_column(pl.Series(lines, dtype=pl.String))
    assert found.schema == {"row": pl.UInt32, "key": pl.String}
    assert found.get_column("row").is_sorted()
    keys: list[list[str]] = [[] for _ in lines]
    for row, key in found.iter_rows():
        keys[row].append(key)
    return [tuple(row) for row in keys]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('{"user_id":4711}', ("user:4711",)),
        ('{"user_id": "4711"}', ("user:4711",)),
        ("level=info user_id=4711 dur=3ms", ("user:4711",)),
        ("signed up, user_id: 4711.", ("user:4711",)),
        ('Parameters: {"user_id"=>"4711"}', ("user:4711",)),
        ("{'user_id': 4711}", ("user:4711",)),
        (r'{"payload":"{\"user_id\":4711}"}', ("user:4711",)),
        (r'{"a":"{\"b\":\"{\\\"user_id\\\":\\\"47\\\"}\"}"}', ("user:47",)),
        ("userId=4711 UserId=4712 userID=4713", ("user:4711", "user:4713", "user:4712")),
        ("USER_ID=4711", ("user:4711",)),
        ("{:user-id 4711, :order-id #uuid}", ("user:4711",)),
        ('{"user":{"id":4711,"plan":"x"}}', ("user:4711",)),
        (r'{"m":"{\"user\":{\"id\":4711}}"}', ("user:4711",)),
        ("parent_order_id=9 order_item_id=10", ("parent_order:9", "order_item:10")),
        ("orderItemId=10", ("order_item:10",)),
        ("x-request-id: 7f3a", ("request:7f3a",)),
        ("X-Request-Id: 7f3a", ("request:7f3a",)),
        ("requestID=7f3a req_id=7f3b", ("request:7f3b", "request:7f3a")),
        ('{"trace.id":"abc","trace_id":"abc"}', ("trace:abc",)),
        (
            "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ("trace:4bf92f3577b34da6a3ce929d0e0e4736",),
        ),
        ("jid=8f2c txid=77", ("txn:77", "job:8f2c")),
        ("args gid://shop/User/4711 gid://shop/Order::Item/9", ("user:4711", "order_item:9")),
        ("token_id=YWJjZA==", ("token:YWJjZA==",)),
        ("RequestId=0HMVD2A5K3R1P:00000002 done", ("request:0HMVD2A5K3R1P:00000002",)),
    ],
)
def test_spellings(text: str, keys: tuple[str, ...]) -> None:
    assert sorted(KeyRules().in_text(text)) == sorted(keys)
    assert sorted(column_keys(KeyRules(), ["", text, "nothing"])[1]) == sorted(keys)


@pytest.mark.parametrize(
    "text",
    [
        "GET /shop?utm_id=4711 200",
        "4711",
        "id=4711",
        "took 4711 ms",
        "pid=4711 process_id=4711 thread_id=12 client_id=x",
        '{"user_id":null,"order_id":"undefined"}',
        "user_id=None order_id=nil",
        "VALID=1 INVALID: 5 UUID=9 GRID=3",
        "paid: 5 valid=7 android=8",
        "user_id 4711",
        "user_id=",
        "the order-id is missing",
        "user_identity=5",
    ],
)
def test_no_keys(text: str) -> None:
    assert KeyRules().in_text(text) == ()
    assert column_keys(KeyRules(), [text]) == [()]


def test_configured_types() -> None:
    text = 'orderNumber=7 order #A1_z user_id=4711 "@customer": "c9" customer_id=5'
    keys = {"order:7", "order:A1_z", "customer:4711", "member:4711", "customer:c9", "customer:5"}
    assert set(RULES.in_text(text)) == keys
    assert set(column_keys(RULES, [text])[0]) == keys


def test_without_discovery_only_configured_and_well_known() -> None:
    rules = KeyRules(types=(KeyType("order", ("order_id",)),), discover=False)
    assert rules.in_text("orderId=1 user_id=2 request_id=3") == ("request:3", "order:1")


def test_each_key_once_per_row_and_rows_apart() -> None:
    lines = ["user_id=1 user_id=2 userId=1", "user_id=1", " ".join(["user_id=1"] * 50)]
    assert column_keys(KeyRules(), lines) == [("user:1", "user:2"), ("user:1",), ("user:1",)]


def test_nulls_and_empty_columns() -> None:
    assert KeyRules().in_column(pl.Series([], dtype=pl.String)).height == 0
    found = KeyRules().in_column(pl.Series([None, "user_id=1", None], dtype=pl.String))
    assert found.rows() == [(1, "user:1")]


def test_rows_past_one_slice_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.keys.SLICE_ROWS", 7)
    lines = [f"user_id={n} jid={n}" if n % 3 else "quiet" for n in range(50)]
    assert column_keys(KeyRules(), lines) == [KeyRules().in_text(line) for line in lines]


def test_row_keys() -> None:
    assert KeyRules().row_keys("public.users", 4711) == ("row:users/4711", "user:4711")
    assert RULES.row_keys("users", 4711) == ("row:users/4711", "customer:4711")
    singular = {"mails": "mail", "companies": "company", "addresses": "address", "boxes": "box"}
    singular |= {"order_status": "order_status", "OrderItem": "order_item", "statuses": "status"}
    for table, name in singular.items():
        assert KeyRules().row_keys(table, 1)[1] == f"{name}:1"
    assert "\x1b" not in "".join(KeyRules().row_keys("users", "\x1b[31m"))


# --- both engines -------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        "user_id",
        "userId",
        "UserID",
        "USER_ID",
        "user-id",
        "provider_job_id",
        "providerJobId",
        "request_id",
        "x-request-id",
        "trace.id",
        "jid",
        "txid",
        "process_id",
        "order_id",
        "orderNumber",
        "@customer",
        "id",
        "ID",
        "_id",
        "Id",
        "a_id",
        "user_id_id",
        "traceparent",
        "VALID",
        "userIdId",
        "I_id",
        "user__id",
        "my-user_id",
        "order",
    ]
)
SEPARATORS = st.sampled_from(
    [
        "=",
        ":",
        '":',
        '":"',
        '\\":\\"',
        "=>",
        '"=>"',
        " = ",
        ": ",
        " ",
        "  :  ",
        "::",
        "==",
        '":{"id":',
    ]
)
VALUES = st.one_of(
    st.integers(0, 99999).map(str),
    st.text("abcZ09_.+/=-:é\u212a\x00", max_size=80),
    st.sampled_from(
        ["null", "None", "4711.", "a=b", "order_id=5", "\u0660", "00-" + "a" * 32 + "-x"]
    ),
)
FRAGMENTS = st.one_of(
    st.tuples(NAMES, SEPARATORS, VALUES).map("".join),
    st.sampled_from(
        ["gid://app/User/1", "gid://a/É/1", "order #12", ' :user-id "', "{", ' "', "\\", "ſ"]
    ),
    st.text(max_size=12),
)
LINES = st.lists(FRAGMENTS, max_size=6).map(" ".join) | st.lists(FRAGMENTS, max_size=6).map("".join)
OBJECTS = st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=2), max_size=4)
JSON_LINES = OBJECTS.map(json.dumps) | OBJECTS.map(json.dumps).map(json.dumps)


@settings(deadline=None)
@given(st.lists(LINES | JSON_LINES, max_size=8))
def test_column_equals_text(lines: list[str]) -> None:
    for rules in (KeyRules(), RULES):
        assert column_keys(rules, lines) == [rules.in_text(line) for line in lines]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("order #(?=x)(\\d+)", "look-around"),
        ("(?<!a)b(\\d)", "look-around"),
        ("(?P<a>x)(?P=a)", "not possible"),
        ("(x)\\1", "not possible"),
        ("(x++)", "possessive"),
        ("(?>x)(y)", "not possible"),
        ("order #\\d+", "0 groups"),
        ("(a)(b)", "2 groups"),
        ("(a", "not a regular expression"),
        ("(a*)", "empty text"),
        ("(a\\B)", "not possible"),
        ("([+--])", "dash"),
        ("(?m)^(a)$", "not possible"),
    ],
)
def test_patterns_that_are_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as problem:
        KeyRules(types=(KeyType("order", patterns=(pattern,)),))
    assert repr(pattern) in str(problem.value)


PATTERNS = (
    r"order #(\d+)",
    r"\border[ ]?(\w+)\b",
    r"[[~&]([^\s\]]+)[]]",
    r"o(\D\S)",
    r"(?:no|nr)\.?\s*([\w.-]{2,})",
    r"^(\w+):|x",
    r"(x|y)$",
    r"(?P<id>r\d+?)(?:\b|_)",
    r"\b: (\d+)",
    r"(.)é",
)


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(deadline=None)
@given(
    lines=st.lists(
        st.lists(
            st.sampled_from(
                ["order #12", "order x", "[ab]", "~é]", "no. a-b", "nr٣", "r12_", " x", "y", ": 3"]
            )
            | st.text("o1x]é\u0663 :#\x1b\t", max_size=6),
            max_size=5,
        ).map("".join),
        max_size=5,
    )
)
def test_patterns_mean_the_same_in_both_engines(pattern: str, lines: list[str]) -> None:
    rules = KeyRules(types=(KeyType("thing", patterns=(pattern,)),), discover=False)
    found = [rules.in_text(line) for line in lines]
    assert column_keys(rules, lines) == found
    assert all("\x1b" not in key for keys in found for key in keys)


# --- what may be joined on ----------------------------------------------------------------


def test_too_broad_keys_are_those_on_a_large_share_of_events() -> None:
    rows = list(range(10_000))
    keys = pl.DataFrame(
        {"row": rows * 2, "key": ["tenant:1"] * 10_000 + [f"user:{n // 4}" for n in rows]},
        schema={"row": pl.UInt32, "key": pl.String},
    )
    assert too_broad(keys) == {"tenant:1"}
    assert too_broad(keys.head(200)) == frozenset()
    assert joinable(("tenant:1", "user:5"), too_broad(keys)) == ("user:5",)


def test_split_key() -> None:
    assert split_key("user:4711") == ("user", "4711")
    assert split_key("trace:a:b") == ("trace", "a:b")
    assert split_key("4711") == ("", "4711")
