"""Prompts and what follows them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from skdl._settings import COUNT, FACTOR, NOT_NEGATIVE, checked
from skdl._typing import Array
from skdl._warn import warn
from skdl.neural_network._generate import draw
from skdl.text import Tokenizer, UnknownTokenWarning

if TYPE_CHECKING:
    from skdl.neural_network._language_density import LanguageDensity

_TAIL = 16  # ids at the end that are turned to text to look for a stop


def read_prompt(model: LanguageDensity, prompt: Any) -> Array:
    """Return the ids of a prompt, its begin among them.

    Parameters
    ----------
    model : LanguageDensity
        A fitted model.
    prompt : str, list or None
        The prompt.

    Returns
    -------
    ids : ndarray of int of shape (n_ids,)
        At least the begin.

    Raises
    ------
    ValueError, TypeError
        If it is of another kind than X was in `fit`, or has symbols that the model has
        never met.
    """
    of_texts = model._form.kind == "texts"
    if prompt is None:
        return np.array([Tokenizer.BEGIN])
    if isinstance(prompt, (str, bytes)) != of_texts:
        wanted = "a text" if of_texts else "a list of symbols"
        raise TypeError(f"prompt must be {wanted}, got {prompt!r}.")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnknownTokenWarning)
        ids = np.asarray(model.tokenizer_.transform([prompt])[0])
    if (ids == Tokenizer.UNKNOWN).any() and not model._knows_unknown:
        reason = " ".join(str(warning.message) for warning in caught)
        raise ValueError(
            f"The prompt has symbols that the model has never met: {reason}"
        )
    for warning in caught:
        warn(warning.message)
    return np.append(Tokenizer.BEGIN, ids)


def continued(
    model: LanguageDensity,
    ids: Array,
    max_length: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    stop: Any,
    random_state: Any,
) -> Any:
    """Return a prompt and what follows; see `RNNLanguageModel.generate`."""
    checked(
        "generate",
        {
            "max_length": COUNT,
            "temperature": NOT_NEGATIVE,
            "top_k": [*COUNT, None],
            "top_p": [*FACTOR, None],
        },
        {
            "max_length": max_length,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
        },
    )
    stops = _stops(model, stop)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)
    stepper, new = model._stepper(), list(ids)
    raw = stepper.read(ids[None])
    for _ in range(max_length):
        one = draw(raw, rng, temperature, top_k, top_p)
        if one[0] == Tokenizer.END:
            break
        new.append(one[0])
        if stops and _at_stop(model, new[len(ids) :], stops):
            break
        raw = stepper.read(one[:, None])
    return _until_stop(model, ids, new, stops)


def _stops(model: LanguageDensity, stop: Any) -> list[Any]:
    if stop is None:
        return []
    single = isinstance(stop, (str, bytes)) or not isinstance(stop, Sequence)
    stops = [stop] if single else list(stop)
    if model._form.kind == "texts":
        for one in stops:
            if not isinstance(one, str) or not one:
                raise ValueError(
                    "stop must be a text, or several, none of them empty; got "
                    f"{stop!r}."
                )
    return stops


def _at_stop(model: LanguageDensity, new: list[int], stops: list[Any]) -> bool:
    """Whether what was added ends with a stop, or has one near its end."""
    if model._form.kind != "texts":
        return _symbols(model, new[-1:])[0] in stops
    longest = max(map(len, stops))
    tail = _symbols(model, new[-(longest + _TAIL) :])
    return any(stop in tail for stop in stops)


def _until_stop(
    model: LanguageDensity, prompt: Array, ids: list[int], stops: list[Any]
) -> Any:
    whole = _symbols(model, ids)
    if not stops:
        return whole
    if model._form.kind != "texts":
        ends = len(whole) > len(prompt) - 1 and whole[-1] in stops
        return whole[:-1] if ends else whole
    n_before = len(_symbols(model, prompt))
    found = [at for stop in stops if (at := whole.find(stop, n_before)) >= 0]
    return whole[: min(found)] if found else whole


def _symbols(model: LanguageDensity, ids: Any) -> Any:
    return model.tokenizer_.inverse_transform([np.asarray(ids, dtype=int)])[0]
