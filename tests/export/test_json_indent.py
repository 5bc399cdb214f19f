"""The JSON export's own indentation is that of the standard library, sign for sign."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from timeline.export.json_ import _indented
from timeline.finding import JsonValue

VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)  # fmt: skip


@given(VALUES)
def test_it_is_what_the_standard_library_writes(value: JsonValue) -> None:
    assert _indented(value, "\n") == json.dumps(value, ensure_ascii=False, indent=2)
