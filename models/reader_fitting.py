"""Fits the readers' blend on saves that were held out."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.als import (
    ITERATIONS,
    READERLESS_ITERATIONS,
    WARM_ITERATIONS,
    fit_item_factors,
)
from models.collective import collective_users
from models.defaults import READER_WEIGHTS
from models.features import Features
from models.libraries import hold_out, wanted, wanted_count
from models.readers import SIGNALS, ReaderModel, solve_readers
from models.smoothing import spread_text

HELD_SHARE = 0.3
FITTED_READERS = 1_500
SAMPLED_PAPERS = 2_000
PENALTY = 1e-3
LEAST_READERS = 200
"""With fewer readers of two papers or more, so many papers' own links stand in for libraries."""

BLOCK = 128


@dataclass(frozen=True)
class HeldOut:
    """What the inner model may see (`libraries`: readers x papers, `linked`: papers x papers), and
    what its weights are fitted on: `profiles` and `targets`, float32 CSR, readers x papers.

    `pseudo`: the readers are papers, their libraries what these are linked to.
    """

    libraries: sp.csr_matrix
    linked: sp.csr_matrix
    profiles: sp.csr_matrix
    targets: sp.csr_matrix
    pseudo: bool


def held_out(libraries: sp.csr_matrix, linked: sp.csr_matrix, seed: int) -> HeldOut:
    """A seeded draw of 30 % of each library of two or more papers.

    Where few readers have so many, but papers have links: papers with two or more as
    pseudo-readers, taken out of the graph whole; one neighbour is the library, the others are the
    targets.
    """
    random = np.random.default_rng(seed)
    enough = np.sum(np.diff(wanted(libraries).indptr) >= 2) >= LEAST_READERS
    if enough or np.sum(np.diff(linked.indptr) >= 2) < LEAST_READERS:
        return _held_saves(libraries, linked, random)
    return _held_links(libraries, linked, random)


def _held_saves(
    libraries: sp.csr_matrix, linked: sp.csr_matrix, random: np.random.Generator
) -> HeldOut:
    size = np.diff(wanted(libraries).indptr)
    held = np.where(size > 1, np.clip(np.round(HELD_SHARE * size), 1, np.maximum(size - 1, 1)), 0)
    kept, targets = hold_out(libraries, held, random)
    fitted = np.flatnonzero(held)
    fitted = np.sort(random.permutation(fitted)[:FITTED_READERS])
    return HeldOut(kept, linked, kept[fitted], targets[fitted], pseudo=False)


def _held_links(
    libraries: sp.csr_matrix, linked: sp.csr_matrix, random: np.random.Generator
) -> HeldOut:
    able = np.flatnonzero(np.diff(linked.indptr) >= 2)
    drawn = np.sort(random.permutation(able)[: min(FITTED_READERS, len(able) // 5)])
    outside = np.ones(linked.shape[0], np.float32)
    outside[drawn] = 0
    mask = sp.diags_array(outside)
    inner = sp.csr_matrix(mask @ linked @ mask, dtype=np.float32)
    inner.eliminate_zeros()
    neighbors = [
        random.permutation(linked.indices[linked.indptr[paper] : linked.indptr[paper + 1]])
        for paper in drawn
    ]
    shape = (len(drawn), linked.shape[0])
    profiles = _libraries([each[:1] for each in neighbors], shape)
    targets = _libraries([each[1:] for each in neighbors], shape)
    return HeldOut(libraries, inner, profiles, targets, pseudo=True)


def _libraries(papers: list[NDArray[np.int32]], shape: tuple[int, int]) -> sp.csr_matrix:
    indices = np.concatenate([*papers, np.zeros(0, np.int32)])
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in papers], dtype=np.int64)])
    libraries = sp.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape)
    libraries.sort_indices()
    return libraries


@dataclass(frozen=True)
class FittedReaders:
    """The model for readers, and the vectors of all users of `models.collective`, float32, users x
    factors, each the exact solve against the model's item factors."""

    model: ReaderModel
    user_factors: NDArray[np.float32]


def fit_readers(
    libraries: sp.csr_matrix, linked: sp.csr_matrix, features: Features, seed: int, threads: int
) -> FittedReaders | None:
    """The readers' model of a corpus, also of one that has no readers yet; None where neither text
    nor links nor readers tell papers apart.

    `libraries`: float32 CSR, readers x papers; `linked`: float32 CSR, papers x papers.
    """
    text, latent = features.encoder.texts.matrix, features.encoder.latent
    if not (libraries.nnz or linked.nnz or text.nnz):
        return None
    weights, start = np.array(READER_WEIGHTS, np.float32), None
    iterations = ITERATIONS if wanted(libraries).nnz else READERLESS_ITERATIONS
    held = held_out(libraries, linked, seed) if wanted(libraries).nnz else None
    if held is not None and held.targets.nnz:
        inner = _build(held.libraries, held.linked, text, latent, seed, threads, None, iterations)
        weights, start, iterations = fit_weights(inner, held), inner.item_factors, WARM_ITERATIONS
    model = _build(libraries, linked, text, latent, seed, threads, start, iterations)
    users = collective_users(libraries, linked, text)
    return FittedReaders(replace(model, weights=weights), solve_readers(users, model.item_factors))


def _build(
    libraries: sp.csr_matrix,
    linked: sp.csr_matrix,
    text: sp.csr_matrix,
    latent: NDArray[np.float32],
    seed: int,
    threads: int,
    start: NDArray[np.float32] | None,
    iterations: int,
) -> ReaderModel:
    users = collective_users(libraries, linked, text)
    return ReaderModel(
        text=text,
        smoothed_text=spread_text(latent, linked, libraries),
        item_factors=fit_item_factors(users, seed, threads, start, iterations),
        saves=np.log1p(wanted_count(libraries)).astype(np.float32),
        weights=np.zeros(len(SIGNALS), np.float32),
    )


def fit_weights(model: ReaderModel, held: HeldOut) -> NDArray[np.float32]:
    """Weights at 0 or above that minimise the cross-entropy of each target against a sample of the
    papers outside the library, averaged over the targets of a reader, then over readers."""
    examples = _examples(model, held)
    if not held.pseudo:
        return _softmax_weights(examples, len(SIGNALS)).astype(np.float32)
    # What a paper cites says nothing about fame among readers: that comes from the saves alone.
    weights = _softmax_weights(examples, len(SIGNALS) - 1)
    return np.append(weights, _fame(held.libraries)).astype(np.float32)


Example = tuple[NDArray[np.float64], NDArray[np.float64], float]
"""Signals of the targets and of the sampled others, and ln(others / sampled)."""


def _examples(model: ReaderModel, held: HeldOut) -> list[Example]:
    random = np.random.default_rng(0)
    papers = held.profiles.shape[1]
    examples: list[Example] = []
    for at in range(0, held.profiles.shape[0], BLOCK):
        profiles, targets = held.profiles[at : at + BLOCK], held.targets[at : at + BLOCK]
        signals = model.signals(profiles)
        for reader in range(profiles.shape[0]):
            wanted = targets[reader].indices
            free = np.ones(papers, bool)
            free[wanted] = free[profiles[reader].indices] = False
            others = np.flatnonzero(free)
            if not len(others):
                continue
            drawn = random.choice(others, min(SAMPLED_PAPERS, len(others)), replace=False)
            mine = signals[:, reader].astype(np.float64)
            ratio = float(np.log(len(others) / len(drawn)))
            examples.append((mine[:, wanted].T, mine[:, drawn].T, ratio))
    return examples


def _softmax_weights(examples: list[Example], columns: int) -> NDArray[np.float64]:
    wanted = np.concatenate([each[0][:, :columns] for each in examples])
    others = np.concatenate([each[1][:, :columns] for each in examples])
    wanted_of = np.repeat(np.arange(len(examples)), [len(each[0]) for each in examples])
    others_of = np.repeat(np.arange(len(examples)), [len(each[1]) for each in examples])
    begins = np.flatnonzero(np.diff(others_of, prepend=-1))
    ratio = np.array([each[2] for each in examples])
    share = 1 / np.bincount(wanted_of)[wanted_of] / len(examples)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = others @ weights
        highest = np.maximum.reduceat(logits, begins)
        grown = np.exp(logits - highest[others_of])
        total = np.add.reduceat(grown, begins)
        mean = np.add.reduceat(grown[:, None] * others, begins) / total[:, None]
        rest = np.log(total) + highest + ratio
        score = wanted @ weights
        both = np.logaddexp(score, rest[wanted_of])
        missed = share * (1 - np.exp(score - both))
        gradient = (missed[:, None] * (mean[wanted_of] - wanted)).sum(axis=0)
        value = float((share * (both - score)).sum() + PENALTY * weights @ weights)
        return value, gradient + 2 * PENALTY * weights

    start = np.full(columns, 0.3)
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * columns)
    weights: NDArray[np.float64] = fitted.x
    return weights


def _fame(libraries: sp.csr_matrix) -> float:
    """b of P(the next save is of paper j) ~ (1 + saves of j)^b, each save judged without itself."""
    count = wanted_count(libraries)
    fame, without, share = np.log1p(count), np.log(np.maximum(count, 1)), count / count.sum()

    def loss(at: NDArray[np.float64]) -> float:
        grown = np.exp(at[0] * fame)
        total = grown.sum() - grown + np.exp(at[0] * without)
        return float((share * (np.log(total) - at[0] * without)).sum())

    return float(minimize(loss, [1.0], method="L-BFGS-B", bounds=[(0, 3)]).x[0])
