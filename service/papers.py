"""PaperService: the papers that the serving model knows."""

from relatedpapers.v1 import paper_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service import messages, validation
from service.catalog import Catalog


class PaperHandlers:
    """The methods of PaperService."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def get_paper(self, request: pb.GetPaperRequest) -> pb.GetPaperResponse:
        """One paper."""
        paper_id = validation.paper_id("paper_id", request.paper_id)
        view = validation.view(request.view, PaperView.PAPER_VIEW_FULL)
        artifact = self._catalog.serving.artifact
        row = artifact.papers.row(paper_id)
        if row is None:
            raise messages.unknown_papers([paper_id])
        return pb.GetPaperResponse(
            paper=messages.paper(artifact.papers, row, view), model_version=artifact.version
        )

    async def batch_get_papers(
        self, request: pb.BatchGetPapersRequest
    ) -> pb.BatchGetPapersResponse:
        """The known ones of many papers."""
        if not request.paper_ids:
            raise validation.missing("paper_ids", "give at least one paper id")
        validation.at_most("paper_ids", request.paper_ids, validation.MAX_PAPERS)
        view = validation.view(request.view, PaperView.PAPER_VIEW_BASIC)
        artifact = self._catalog.serving.artifact
        response = pb.BatchGetPapersResponse(model_version=artifact.version)
        for place, paper_id in enumerate(request.paper_ids):
            if paper_id:  # an empty one is as unknown as any other
                validation.paper_id(f"paper_ids[{place}]", paper_id)
            row = artifact.papers.row(paper_id)
            if row is None:
                response.unknown_paper_ids.append(paper_id)
            else:
                response.papers.append(messages.paper(artifact.papers, row, view))
        return response
