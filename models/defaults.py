"""The blend of a corpus that nothing can be fitted on: text alone."""

import numpy as np

from models.blend import Blend
from models.popularity import PAPER_TERMS

# TF-IDF plus half the latent cosine, the ratio that is common in the field; slope and bias only
# give the score a spread in (0, 1), which is not calibrated and said not to be.
LINEAR = {"text": 8.0, "latent": 4.0, "neighborhood": 8.0, "smoothed_text": 4.0, "coupling": 4.0}
BIAS = -5.0


# For readers, in the order of models.readers.SIGNALS, where there are none to fit weights on: what
# papers cite together says little of how far readers follow text, or each other. Similarities are
# in deviations; the last weight is the power to which readers follow what others have.
READER_WEIGHTS = (0.1, 0.5, 0.5, 0.3)


def default_blend(signals: tuple[str, ...]) -> Blend:
    """Documented weights; popularity and the seed's fame count nothing."""
    nothing = np.zeros(len(PAPER_TERMS), np.float32)
    linear = np.array([LINEAR.get(name, 0.0) for name in signals], np.float32)
    blend = Blend(BIAS, signals, linear, np.zeros_like(linear), PAPER_TERMS, nothing, nothing)
    return blend.without_idle_signals()
