"""A service with readers, for tests that press the buttons of its pages."""

from relatedpapers import Client
from tests.explorer.forms import Form, forms, send
from tests.explorer.site import Site
from tests.serving import Worker
from tests.support import PATIENCE_SECONDS


class Service(Site):
    """A service with readers; `client` calls its API."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.web_port)
        self.client = Client(f"127.0.0.1:{worker.port}", timeout_seconds=PATIENCE_SECONDS)

    def read(self, path: str) -> str:
        """The HTML of a page, which must be fine."""
        self.page(path)
        return self.ask(path)[2]

    def press(self, path: str, kind: str, paper: str) -> Form:
        """Press a button of a page, and return what was sent."""
        form = forms(self.read(path), type=kind, paper=paper)[0]
        sent = send(self, form)
        assert sent.status == 303, sent.body
        return form

    def events(self, reader: str) -> list[tuple[str, str]]:
        """The types and papers of a reader's events, as the service stored them."""
        return [(each.type, each.paper_id) for each in self.client.export_reader(reader)]
