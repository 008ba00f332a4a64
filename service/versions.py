"""ModelService: the models of this server."""

from relatedpapers.v1 import model_service_pb2 as pb
from service import messages, pages, tokens, validation
from service.catalog import Catalog
from service.errors import Reason, ServiceError
from service.secrets import SigningKeys

METHOD = "ListModels"
DEFAULT_PAGE_SIZE = 20


class ModelHandlers:
    """The methods of ModelService."""

    def __init__(self, catalog: Catalog, keys: SigningKeys) -> None:
        self._catalog = catalog
        self._keys = keys

    async def get_model(self, request: pb.GetModelRequest) -> pb.GetModelResponse:
        """One model; the serving one if the request names none."""
        wanted = request.version or self._catalog.serving.artifact.version
        for version in self._catalog.versions():
            if version.manifest.version == wanted:
                return pb.GetModelResponse(model=messages.model(version))
        message = f"There is no model {wanted!r}: `ListModels` lists those that there are."
        raise ServiceError(Reason.MODEL_NOT_FOUND, message, version=wanted)

    async def list_models(self, request: pb.ListModelsRequest) -> pb.ListModelsResponse:
        """A page of the models, the newest first."""
        size = validation.page_size(request.page_size, DEFAULT_PAGE_SIZE)
        digest = tokens.digest(METHOD, pb.ListModelsRequest())
        found = self._catalog.versions()
        begin = 0
        if request.page_token:
            last = pages.resume(self._keys, request.page_token, digest)
            names = [version.manifest.version for version in found]
            known = last.model_version in names
            begin = names.index(last.model_version) + 1 if known else last.offset
        shown = found[begin : begin + size]
        response = pb.ListModelsResponse(models=[messages.model(version) for version in shown])
        if begin + size < len(found):
            end = tokens.Position(begin + size, digest, shown[-1].manifest.version)
            response.next_page_token = pages.next_page(self._keys, end)
        return response
