"""What becomes of the labels somebody writes: pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ticketing import labels

WRITTEN = st.lists(st.text(max_size=60), max_size=25)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["vpn", "network"], ["vpn", "network"]),
        (["VPN", "vpn", "Vpn "], ["VPN"]),
        (["  two \t words\n"], ["two words"]),
        (["", " ", "\u0001"], []),
        (["Straße", "STRASSE"], ["Straße"]),
        (["cafe\u0301", "café"], ["café"]),
    ],
)
def test_the_same_word_is_kept_once_as_it_was_first_spelled(written: list[str], kept: list[str]) -> None:
    assert labels.normalized(written) == kept


@given(WRITTEN)
def test_labels_stay_within_bounds_and_twice_is_once(written: list[str]) -> None:
    kept = labels.normalized(written)
    assert labels.normalized(kept) == kept
    assert len(kept) <= labels.MOST
    assert all(0 < len(label) <= labels.LONGEST for label in kept)
    assert len({labels.folded(label) for label in kept}) == len(kept)
