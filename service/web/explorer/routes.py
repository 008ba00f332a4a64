"""The addresses of the explorer."""

from starlette.routing import Route

from service.web import static_files
from service.web.api import Api
from service.web.explorer import digest
from service.web.explorer.home import Home
from service.web.explorer.maps import MapPage
from service.web.explorer.models import ModelPage
from service.web.explorer.papers import PaperPage
from service.web.explorer.reader_forms import ReaderForms
from service.web.explorer.readers import ReaderPages
from service.web.explorer.related import RelatedPage
from service.web.explorer.search import SearchPage
from service.web.explorer.trending import TrendingPage


def routes(api: Api) -> list[Route]:
    """Every page of the explorer, and the files that they load."""
    paper = PaperPage(api).answer
    neighborhood = MapPage(api).answer
    readers, forms = ReaderPages(api).answer, ReaderForms(api)
    return [
        Route("/", Home(api).answer),
        Route("/search", SearchPage(api).answer),
        Route("/papers", paper),
        Route("/papers/{id:path}", paper),
        Route("/map", neighborhood),
        Route("/map/{id:path}", neighborhood),
        Route("/model", ModelPage(api).answer),
        Route("/readers", readers),
        Route("/readers/{id:path}", readers),
        Route("/reader/events", forms.write, methods=["POST"]),
        Route("/reader/deletion", forms.delete, methods=["POST"]),
        Route("/reader/export", forms.export),
        Route("/related", RelatedPage(api).answer),
        Route("/trending", TrendingPage(api).answer),
        *digest.routes(api),
        *static_files.routes,
    ]
