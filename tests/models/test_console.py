"""What commands do with Ctrl-C."""

import signal
from contextlib import suppress

import pytest

from models.console import heeding_interrupts
from models.progress import silent


def test_an_interrupt_that_a_library_swallowed_ends_the_next_step() -> None:
    with heeding_interrupts(silent) as report:
        report("before", 0)
        with suppress(KeyboardInterrupt):  # as code in C may
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            report("after", 0)


def test_interrupts_are_handled_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with heeding_interrupts(silent) as report:
        report("a step", 0)
    assert signal.getsignal(signal.SIGINT) is before
