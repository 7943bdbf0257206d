"""A language model as a density, and what it writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdl._compat import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from skdl._ragged import Ragged
from skdl._settings import COUNT, NOT_NEGATIVE, checked
from skdl._typing import Array
from skdl.layers import (
    build_chain,
)
from skdl.neural_network._base_language import BaseLanguageModel
from skdl.neural_network._generate import Stepper, search, sequences
from skdl.neural_network._language_text import continued, read_prompt
from skdl.neural_network._language_walk import last_outputs, log_likelihoods
from skdl.neural_network._unrolled import unrolled
from skdl.text import Tokenizer
from skdl.training import Corpus

_STEPS = 2048  # steps that batch_size="auto" takes together


class LanguageDensity(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseLanguageModel
):
    """A fitted language model: probabilities, states, and new sequences."""

    # ---- the density

    def score_samples(self, X: Any) -> Array:
        """Return the logarithm of the probability of each sequence.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.

        Returns
        -------
        log_p : ndarray of shape (n_samples,)
            Natural logarithms, that of the end included where there is one.
        """
        corpus = self._corpus(X)  # it says if there was no fit
        return log_likelihoods(self.network_, corpus)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the logarithm of the probability of all sequences together.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.
        y : None, default=None
            Ignored.

        Returns
        -------
        log_p : float
            The sum of `score_samples`, as `sklearn.neighbors.KernelDensity` has it.
        """
        return float(self.score_samples(X).sum())

    def perplexity(self, X: Any) -> float:
        """Return the perplexity: among how many symbols the model is as good as unsure.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.

        Returns
        -------
        perplexity : float
            exp(−Σ ln P(x_t | x_<t) / n), over all n symbols that are foretold, ends
            included.
        """
        corpus = self._corpus(X)
        log_p = log_likelihoods(self.network_, corpus)
        return float(np.exp(-log_p.sum() / corpus.n_steps.sum()))

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the symbol that comes next.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            What comes before; texts and lists may be empty.

        Returns
        -------
        p : ndarray of shape (n_samples, n_symbols)
            In the order of `vocabulary_`; rows add up to 1.
        """
        corpus = self._corpus(X)
        raw = last_outputs(self.network_, corpus, not self._form.ends)
        return self._task.loss.inverse_link(raw)

    def transform(self, X: Any) -> Array:
        """Return the state of the last layer behind each sequence, as features.

        Parameters
        ----------
        X : list of str, list of list, or array-like of shape (n_samples, n_steps)
            Sequences.

        Returns
        -------
        features : ndarray of shape (n_samples, n_units)
            What the output layer gets when all symbols have been read.
        """
        corpus = self._corpus(X)
        n_layers = len(unrolled(self.network_)[0]) - 1
        return last_outputs(self.network_, corpus, not self._form.ends, n_layers)

    @property
    def _n_features_out(self) -> int:
        layers, _ = unrolled(self.network_)
        shapes, _ = build_chain(layers[:-1], self.network_.input_shape)
        return shapes[-1][-1]

    def _corpus(self, X: Any) -> Corpus:
        check_is_fitted(self, "network_")
        return self._read(X)

    def _rows_to_predict(self, X: Any) -> Ragged:
        """Return sequences as the network takes them: what follows is to be foretold.

        Analyses of networks ask for it.
        """
        corpus = self._corpus(X)
        stops = corpus.stops - self._form.ends
        pairs = zip(corpus.starts, stops, strict=True)
        return Ragged.of([corpus.values[start:stop] for start, stop in pairs])

    # ---- generation

    def sample(
        self, n_samples: int = 1, random_state: Any = None, *, max_length: int = 1000
    ) -> Any:
        """Draw sequences from the model.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        random_state : int, RandomState instance or None, default=None
            The same integer gives the same sequences.
        max_length : int, default=1000
            Cut those that have not ended after so many symbols.

        Returns
        -------
        X : list of str, list of list or ndarray of shape (n_samples, n_steps)
            Sequences of the kind that the model was fitted to.

        Raises
        ------
        ValueError
            If a number is out of range.
        """
        check_is_fitted(self, "network_")
        checked(
            "sample",
            {"n_samples": COUNT, "max_length": COUNT},
            {"n_samples": n_samples, "max_length": max_length},
        )
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.default_rng(seed)
        length = max_length if self._form.ends else self.n_features_in_
        ids = sequences(self._stepper(), n_samples, length, rng)
        drawn = self.tokenizer_.inverse_transform(ids)
        return drawn if self._form.ends else np.array(drawn)

    def generate(
        self,
        prompt: Any = None,
        max_length: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Any = None,
        random_state: Any = None,
    ) -> Any:
        """Go on from a prompt, symbol by symbol.

        Parameters
        ----------
        prompt : str or list, default=None
            A text, or a list of symbols. None begins anew.
        max_length : int, default=200
            Most symbols to add; it ends sooner where the model ends the sequence.
        temperature : float, default=1.0
            Divides the logarithms of the probabilities: below 1 the probable becomes
            more so, 0 always takes the most probable.
        top_k : int, default=None
            Draw from so many of the most probable symbols.
        top_p : float, default=None
            Draw from the fewest of the most probable symbols that together have so much
            probability, in (0, 1] (Holtzman et al. 2020). After `top_k`.
        stop : str or list, default=None
            End before this text, or the first of several; of symbols, before any of
            these.
        random_state : int, RandomState instance or None, default=None
            The same integer gives the same continuation.

        Returns
        -------
        text : str or list
            The prompt and what follows.

        Raises
        ------
        ValueError, TypeError
            If the prompt has symbols that the model does not know, is of another kind
            than `X` in `fit`, or a setting is out of range.
        """
        check_is_fitted(self, "network_")
        ids = read_prompt(self, prompt)
        return continued(
            self, ids, max_length, temperature, top_k, top_p, stop, random_state
        )

    def beam_search(
        self,
        prompt: Any = None,
        max_length: int = 50,
        *,
        n_beams: int = 5,
        length_penalty: float = 0.0,
    ) -> tuple[list[Any], Array]:
        """Look for the most probable continuations of a prompt.

        So many are followed side by side, each symbol of each is tried, and the best
        are kept (Graves 2012). With enough beams nothing is missed.

        Parameters
        ----------
        prompt : str or list, default=None
            A text, or a list of symbols. None begins anew.
        max_length : int, default=50
            Most symbols to add; the model may end the sequence sooner.
        n_beams : int, default=5
            Continuations that are followed.
        length_penalty : float, default=0.0
            They are ranked by ln p divided by the number of symbols to this power: 0
            prefers short ones, 1 those that are best symbol by symbol.

        Returns
        -------
        texts : list of str or list of list
            The prompt and what follows, the best first; `n_beams` at most.
        log_p : ndarray of shape (n_found,)
            Logarithms of the probabilities of what follows, that of the end included
            where a sequence ends.

        Raises
        ------
        ValueError, TypeError
            As `generate`.
        """
        check_is_fitted(self, "network_")
        settings = checked(
            "beam_search",
            {"max_length": COUNT, "n_beams": COUNT, "length_penalty": NOT_NEGATIVE},
            {
                "max_length": max_length,
                "n_beams": n_beams,
                "length_penalty": length_penalty,
            },
        )
        ids = read_prompt(self, prompt)
        found = search(self._stepper(), ids, **settings)
        rows = [np.append(ids, new).astype(int) for new, _ in found]
        return self.tokenizer_.inverse_transform(rows), np.array([p for _, p in found])

    def _stepper(self) -> Stepper:
        banned = [Tokenizer.BEGIN, Tokenizer.UNKNOWN]
        if not self._form.ends:
            banned.append(Tokenizer.END)
        return Stepper(self.network_, banned)
