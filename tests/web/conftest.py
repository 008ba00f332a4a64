"""The service on both ports, and one way to call it over each protocol."""

import pytest

from tests.serving import Running
from tests.web.http import Http


@pytest.fixture
def http(running: Running) -> Http:
    """The web port of that service."""
    return Http(running.application.web_port)
