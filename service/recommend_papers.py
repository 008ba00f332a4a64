"""RecommendPapers: validate, ask where the reader stands, fill the message."""

from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service import messages, pages, requests, tokens, validation
from service.access import Access
from service.api_keys import Scope
from service.background import Background
from service.catalog import Catalog
from service.filters import Filter
from service.reader_lists import Listed
from service.readers import Reader, Readers
from service.secrets import SigningKeys

METHOD = "RecommendPapers"


class ReaderRecommendations:
    """Answers RecommendPapers, always by the serving model and the reader's present history."""

    def __init__(
        self,
        catalog: Catalog,
        keys: SigningKeys,
        access: Access,
        readers: Readers,
        background: Background,
    ) -> None:
        self._catalog = catalog
        self._keys = keys
        self._access = access
        self._readers = readers
        self._background = background

    async def recommend_papers(self, request: pb.RecommendPapersRequest) -> bytes:
        """A page of papers for a reader, a RecommendPapersResponse.

        Fails with STATE_AWAY rather than forget the reader.
        """
        self._access.require(Scope.READ)
        reader_id = validation.name("reader_id", request.reader_id, "give the id of a reader")
        size = validation.page_size(request.page_size)
        view = validation.view(request.view, PaperView.PAPER_VIEW_BASIC)
        artifact = self._catalog.serving.artifact
        rows = requests.Rows(artifact.papers)
        wanted = requests.paper_filter(request, rows)
        page_token = request.page_token
        digest = tokens.digest(METHOD, request)
        shown = await pages.shown_before(
            self._keys, page_token, digest, self._catalog, self._background
        )
        reader = await self._readers.reader(reader_id)
        listed = await self._listed(reader, wanted, shown, size)
        here = tokens.Position(len(shown), digest, artifact.version)
        response = pb.RecommendPapersResponse(
            model_version=artifact.version,
            factors_version=str(reader.factors_version or ""),
            reader_revision=reader.history.revision,
            source=pb.ResultSource.Name(listed.source),
            attribution_token=tokens.sign(self._keys, tokens.ATTRIBUTION, here),
            unknown_paper_ids=rows.unknown,
        )
        if listed.more:
            after = pages.Shown(digest, artifact.version, (*shown, *listed.rows))
            response.next_page_token = pages.next_page_after(self._keys, after)
        results = messages.serialized_results(artifact.papers, listed, view)
        return response.SerializeToString() + results

    async def _listed(
        self, reader: Reader, wanted: Filter, shown: tuple[int, ...], size: int
    ) -> Listed:
        lists = await self._readers.lists()
        standing = reader.standing
        live = reader.live
        if standing is None or live is None:
            return await self._background.run(
                lists.popular_page, reader.library, self._readers.items, wanted, shown, size
            )
        listed = lists.page(standing, wanted, shown, size)
        if listed is None:
            listed = await self._background.run(
                lists.deep_page, standing, live, wanted, shown, size
            )
        return listed
