"""What a reader's page does: save and hide, hand over what is stored, delete it."""

from collections.abc import AsyncIterator, Iterator

from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from relatedpapers.v1.feedback_service_pb2 import (
    DeleteReaderRequest,
    Event,
    ExportReaderRequest,
    ExportReaderResponse,
    WriteFeedbackRequest,
)
from service.errors import Reason, ServiceError
from service.web.api import Api
from service.web.explorer.acting import ACTIONS, READER, after
from service.web.forms import own_form
from service.web.pages import page

SURFACE = "explorer"
"""Where events of these pages say that the paper was shown."""

_PAGE = 10_000

CLOSED = (
    "This service is reached from other machines or asks for keys, so its pages write nothing for "
    "readers. A site does it through the API, with a key."
)


class ReaderForms:
    """Answers the forms of pages that act for a reader. Each fails with 403 where nobody may."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def write(self, request: Request) -> Response:
        """Store one event, and go back.

        The form holds the event's id: sent twice, it counts once.
        """
        self._check_open(request)
        form = await own_form(request)
        kind, paper = form.get("type", ""), form.get("paper", "")
        if kind not in ACTIONS:
            raise HTTPException(400, f"Pages write {', '.join(ACTIONS)}, and nothing else.")
        event = Event(
            id=form.get("id", ""),
            reader_id=form.get(READER, ""),
            paper_id=paper,
            type=kind,
            surface=SURFACE,
        )
        wanted = WriteFeedbackRequest(events=[event])
        (result,) = (await self._api.call("FeedbackService", wanted, request)).results
        if result.status.code:
            status = result.status
            raise ServiceError(Reason(status.reason), status.message, **status.metadata)
        return RedirectResponse(after(form.get("back", ""), kind, paper), 303)

    async def delete(self, request: Request) -> Response:
        """Delete a reader, and show what became of the data."""
        self._check_open(request)
        form = await own_form(request)
        reader = form.get(READER, "")
        if form.get("sure") != "yes":
            raise HTTPException(400, "Say that you are sure: deleting can't be undone.")
        wanted = DeleteReaderRequest(reader_id=reader)
        report = await self._api.call("FeedbackService", wanted, request)
        return page(request, "reader_deleted.html", reader=reader, report=report)

    async def export(self, request: Request) -> Response:
        """Everything that is stored of a reader, as JSON Lines."""
        self._check_open(request)
        reader = request.query_params.get(READER, "")
        first = await self._page(request, reader, "")
        return StreamingResponse(
            self._lines(request, reader, first),
            media_type="application/jsonl",
            headers={
                "content-disposition": 'attachment; filename="reader.jsonl"',
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
            },
        )

    def _check_open(self, request: Request) -> None:
        if not self._api.open_to(request):
            raise HTTPException(403, CLOSED)

    async def _page(self, request: Request, reader: str, token: str) -> ExportReaderResponse:
        wanted = ExportReaderRequest(reader_id=reader, page_size=_PAGE, page_token=token)
        answer: ExportReaderResponse = await self._api.call("FeedbackService", wanted, request)
        return answer

    async def _lines(
        self, request: Request, reader: str, answer: ExportReaderResponse
    ) -> AsyncIterator[str]:
        while True:
            for line in _lines_of(answer):
                yield line
            if not answer.next_page_token:
                return
            answer = await self._page(request, reader, answer.next_page_token)


def _lines_of(answer: ExportReaderResponse) -> Iterator[str]:
    """A line for each event, and for each paper of the library: an object with one field, which
    says which of the two it is."""
    for event in answer.events:
        yield f'{{"event": {_json(event)}}}\n'
    for paper in answer.library:
        yield f'{{"library_paper": {_json(paper)}}}\n'


def _json(message: Message) -> str:
    return json_format.MessageToJson(
        message, indent=None, preserving_proto_field_name=True, ensure_ascii=False
    )
