"""The model and its evaluation: everything a manifest says, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models.blend import Blend, transformed
from models.manifest import Manifest
from relatedpapers.v1.model_service_pb2 import ListModelsRequest, Model
from service.web.api import Api
from service.web.explorer.plots import SIDE, Weights, reliability, weights
from service.web.explorer.why import words
from service.web.pages import page

_VERSIONS = 100


class Measure(NamedTuple):
    """A figure in plain words. share: whether it lies in [0, 1]."""

    name: str
    meaning: str
    share: bool = True


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "ndcg@10": Measure(
            "nDCG@10",
            "How well the first ten of a list hold the papers that proved related; 1 is perfect.",
        ),
        "recall@100_of_uncited": Measure(
            "Recall@100 of uncited papers",
            "The share of related papers that nobody had cited yet and that are among the first "
            "hundred all the same.",
        ),
        "coverage": Measure(
            "Coverage", "The share of all papers that are among the first ten of some list."
        ),
        "share_of_slots_of_top_percent": Measure(
            "Slots of the top percent",
            "The share of all first-ten places that the most shown 1 % of papers take; less is "
            "fairer.",
        ),
        "queries": Measure(
            "Queries", "The papers with something related, over which nDCG is a mean.", share=False
        ),
    }
)
"""What an evaluation's figures say, in the order in which they are shown."""


class Figure(NamedTuple):
    """A figure of an evaluation. width: of its bar, in percent; 0 where it is no share."""

    measure: Measure
    value: float
    width: float


class ModelPage:
    """Answers `/model`. version: which one; the serving one where the address names none."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page."""
        listed = await self._api.call(
            "ModelService", ListModelsRequest(page_size=_VERSIONS), request
        )
        wanted = request.query_params.get("version") or self._api.catalog.serving.artifact.version
        for version in self._api.catalog.versions():
            if version.manifest.version == wanted:
                return self._page(request, version.manifest, version.serving, listed.models)
        raise HTTPException(404, f"There is no model {wanted!r} here.")

    @staticmethod
    def _page(
        request: Request, manifest: Manifest, serving: bool, models: Sequence[Model]
    ) -> Response:
        blend = Blend.from_json(manifest.blend)
        evaluation = manifest.evaluation
        return page(
            request,
            "model.html",
            kept_seconds=60,
            manifest=manifest,
            serving=serving,
            models=[(model, _written(model), _ndcg(model)) for model in models],
            side=SIDE,
            reliability=reliability(evaluation.get("reliability", [])),
            figures=_figures(evaluation.get("figures", {})),
            signals=_signals(blend),
            fame=_fame(blend),
        )


def _written(model: Model) -> datetime:
    return model.create_time.ToDatetime(UTC)


def _ndcg(model: Model) -> float | None:
    for figure in model.evaluation:
        if figure.name.endswith("ndcg@10"):
            return figure.value
    return None


def _figures(found: Mapping[str, Any]) -> list[Figure]:
    """Known figures first; one that nobody named here by its own name."""
    names = [name for name in MEASURES if name in found]
    names += [name for name in found if name not in MEASURES]
    return [
        Figure(measure, float(found[name]), 100 * float(found[name]) if measure.share else 0.0)
        for name in names
        for measure in [MEASURES.get(name) or Measure(name, "", share=False)]
    ]


def _signals(blend: Blend) -> Weights:
    """What each signal adds to the logit where the similarity is 1, most first."""
    log, root = transformed(np.ones(1, np.float32))
    rows = []
    for name, of_log, of_root in zip(
        blend.signals, blend.log.tolist(), blend.root.tolist(), strict=True
    ):
        total = of_log * float(log[0]) + of_root * float(root[0])
        rows.append((name, words(name).name, (of_log, of_root), total))
    return weights(sorted(rows, key=lambda row: (-row[3], row[0])))


def _fame(blend: Blend) -> Weights:
    """What the popularity terms of a result weigh, and beside them those of the seed."""
    rows = [
        (name, words(name).name, (of_paper, of_seed), of_paper)
        for name, of_paper, of_seed in zip(
            blend.paper_terms, blend.paper.tolist(), blend.seed.tolist(), strict=True
        )
    ]
    return weights(rows)
