"""The bounds and order of the in-process cache, against a plain model of it."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from service.memory import _ENTRY_OVERHEAD_BYTES, LruCache

MAX_BYTES = 4_000
MAX_ENTRIES = 5
KEYS = st.sampled_from("abcdefgh")
SETS = st.tuples(st.just("set"), KEYS, st.integers(0, 5_000), st.integers(1, 20))
GETS = st.tuples(st.just("get"), KEYS, st.just(0), st.just(0))
WAITS = st.tuples(st.just("wait"), st.just(""), st.just(0), st.integers(1, 10))


@given(st.lists(SETS | GETS | WAITS, max_size=60))
def test_bounds_hold_and_the_least_recently_used_goes_first(
    steps: list[tuple[str, str, int, int]],
) -> None:
    now = 0.0
    cache = LruCache(MAX_BYTES, MAX_ENTRIES, clock=lambda: now)
    model: OrderedDict[str, tuple[bytes, float]] = OrderedDict()  # oldest use first
    for step, key, size, seconds in steps:
        if step == "wait":
            now += seconds
        for name in [name for name, (_, expires) in model.items() if expires <= now]:
            del model[name]
        if step == "get":
            expected = model.get(key)
            assert cache.get(key) == (None if expected is None else expected[0])
            if expected is not None:
                model.move_to_end(key)
        elif step == "set":
            value = bytes(size)
            cache.set(key, value, seconds)
            model.pop(key, None)
            if _cost(value) <= MAX_BYTES:
                model[key] = (value, now + seconds)
                while len(model) > MAX_ENTRIES or _size(model) > MAX_BYTES:
                    model.popitem(last=False)
        assert len(cache) == len(model)
        assert cache._entries.currsize == _size(model) <= MAX_BYTES
    for key, (value, _) in list(model.items()):
        assert cache.get(key) == value


def _cost(value: bytes) -> int:
    return len(value) + _ENTRY_OVERHEAD_BYTES


def _size(model: OrderedDict[str, tuple[bytes, float]]) -> int:
    return sum(_cost(value) for value, _ in model.values())
