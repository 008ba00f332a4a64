"""The addresses of the explorer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.web import static_files
from service.web.api import Api
from service.web.pages import page


def routes(api: Api) -> list[Route]:
    """Every page of the explorer, and the files that they load."""

    async def home(request: Request) -> Response:
        return page(request, "home.html", corpus=api.catalog.serving.artifact.manifest.corpus)

    return [Route("/", home), *static_files.routes]
