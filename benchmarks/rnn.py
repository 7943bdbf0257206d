"""Recurrent networks: skdl against a plain PyTorch loop and skorch, in float32.

The same model, data, windows, optimizer (Adam) and epochs for all; states go on from
window to window. The peers come with ``pip install "skdl[bench]"``, the recordings of
speakers with ``pip install --no-deps aeon``.
"""

from __future__ import annotations

import importlib.util
import sysconfig
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._runner import measure, print_table

CONTENDERS = ("skdl", "PyTorch")


class Case(NamedTuple):
    """One row of the table, and what is asked against PyTorch."""

    tokenizer: str
    cell: str
    units: int  # of the embedding, too
    window: int
    batch: int
    epochs: int
    asked: float
    dropout: float = 0.0  # of the outputs of the cell, the same in all steps
    rate: float = 2e-3
    falls: bool = False  # to 0 along half a cosine


CASES = {
    "characters, LSTM 128, 64x32": Case("char", "lstm", 128, 64, 32, 2, 1.1),
    "characters, LSTM 256, 64x64": Case("char", "lstm", 256, 64, 64, 1, 1.05),
    "words, LSTM 200, 35x20": Case("word", "lstm", 200, 35, 20, 1, 1.1),
    "characters, GRU 128, 64x32": Case("char", "gru", 128, 64, 32, 2, 1.8),
    "characters, RNN 128, 64x32": Case("char", "rnn", 128, 64, 32, 2, 2.0),
}
CLIP_NORM = 1.0
SPEAKERS = {"units": 64, "batch_size": 32, "epochs": 30, "rate": 2e-3}
N_GENERATED = 2000
# Less than ten minutes. Without dropout both are best after five epochs.
PERPLEXITY = Case("char", "lstm", 256, 64, 32, 20, 1.0, 0.5, 4e-3, True)


def load_text(tokenizer: str) -> tuple[str, str]:
    """Return nine tenths of a text, and the rest.

    Of characters it is what ``help()`` knows of Python's syntax; characters that are
    not in the first part are left out of the rest. Of words it is the beginning of the
    standard library, which has more than 5,000: rare ones are unknown in both parts.
    """
    from pydoc_data.topics import topics

    if tokenizer == "char":
        text = "\n".join(topics[name] for name in sorted(topics))
    else:
        folder = Path(sysconfig.get_path("stdlib"))
        text = "\n".join(path.read_text() for path in sorted(folder.glob("*.py")))
        text = text[:600_000]
    n = 9 * len(text) // 10
    train, test = text[:n], text[n:]
    known = set(train)
    return train, "".join(symbol for symbol in test if symbol in known)


def load_speakers() -> tuple[Any, Any, Any, Any]:
    """Return JapaneseVowels: nine speakers, 7 to 29 steps of 12 numbers each."""
    spec = importlib.util.find_spec("aeon")
    if spec is None or spec.origin is None:
        raise ImportError("The recordings need: pip install --no-deps aeon")
    folder = Path(spec.origin).parent / "datasets/data/JapaneseVowels"
    parts = []
    for name in ("TRAIN", "TEST"):
        text = (folder / f"JapaneseVowels_{name}.ts").read_text()
        X, y = [], []
        for line in text.partition("@data\n")[2].split():
            *channels, label = line.split(":")
            rows = np.array([np.fromstring(c, sep=",") for c in channels], np.float32)
            X.append(np.ascontiguousarray(rows.T))
            y.append(int(label) - 1)
        parts.append((X, np.array(y)))
    (X, y), (X_test, y_test) = parts
    return X, X_test, y, y_test


# ---- language models


def tokenizer_of(name: str) -> Any:
    from skdl.text import CharTokenizer, WordTokenizer

    return CharTokenizer() if name == "char" else WordTokenizer(max_vocabulary=5000)


class SkdlModel:
    """`RNNLanguageModel`; it also reads the text."""

    def __init__(self, case: Case, seed: int) -> None:
        from skdl import RNNLanguageModel
        from skdl.optimizers import Adam
        from skdl.schedules import Cosine

        rate = Cosine(case.rate) if case.falls else case.rate
        self.model = RNNLanguageModel(
            tokenizer_of(case.tokenizer),
            case.units,
            cell=case.cell,
            embedding=case.units,
            window=case.window,
            batch_size=case.batch,
            dropout=case.dropout,
            optimizer=Adam(rate, clip_norm=CLIP_NORM),
            max_iter=case.epochs,
            n_iter_no_change="never",
            random_state=seed,
        )

    def fit(self, text: str) -> None:
        self.model.fit([text])

    def perplexity(self, text: str) -> float:
        return self.model.perplexity([text])

    def generate(self, seed: int) -> str:
        return self.model.generate("The ", N_GENERATED, random_state=seed)


class TorchModel:
    """The same in PyTorch; the ids are there before."""

    def __init__(self, case: Case, seed: int, train: str) -> None:
        import torch
        from torch import nn

        torch.manual_seed(seed)
        self.case, self.tokenizer = case, tokenizer_of(case.tokenizer).fit([train])
        k, H = len(self.tokenizer.vocabulary_), case.units
        self.embedding, self.out = nn.Embedding(k, H), nn.Linear(H, k)
        layers = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
        self.cell = layers[case.cell](H, H, batch_first=True)
        self.module = nn.ModuleList([self.embedding, self.cell, self.out])

    def ids(self, text: str) -> Any:
        import torch

        ids = self.tokenizer.transform([text])[0]
        return torch.from_numpy(np.asarray(ids, np.int64))

    def step(self, ids: Any, state: Any) -> tuple[Any, Any]:
        from torch.nn.functional import dropout

        h, state = self.cell(self.embedding(ids), state)
        if self.module.training and self.case.dropout:
            kept = h.new_ones(len(h), 1, h.shape[-1])
            h = h * dropout(kept, self.case.dropout)
        return self.out(h), state

    def loss(self, x: Any, y: Any, state: Any) -> tuple[Any, Any]:
        from torch.nn.functional import cross_entropy

        raw, state = self.step(x, state)
        return cross_entropy(raw.flatten(0, 1), y.flatten()), state

    def fit(self, ids: Any) -> None:
        import torch

        case, n = self.case, len(ids) - 1
        length = n // case.batch
        x = ids[: case.batch * length].view(case.batch, length)
        y = ids[1 : case.batch * length + 1].view(case.batch, length)
        parameters = list(self.module.parameters())
        optimizer = torch.optim.Adam(parameters, lr=case.rate, fused=True)
        n_steps = case.epochs * -(-length // case.window)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
        for _ in range(case.epochs):
            state = None
            for start in range(0, length, case.window):
                part = slice(start, start + case.window)
                optimizer.zero_grad()
                loss, state = self.loss(x[:, part], y[:, part], state)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
                optimizer.step()
                if case.falls:
                    falling.step()
                state = _detached(state)

    def perplexity(self, text: str) -> float:
        import torch

        self.module.eval()
        ids, state, total = self.ids(text), None, 0.0
        with torch.inference_mode():
            for start in range(0, len(ids) - 1, 1024):
                x, y = ids[start : start + 1024], ids[start + 1 : start + 1025]
                x = x[: len(y)]
                loss, state = self.loss(x[None], y[None], state)
                total += len(y) * float(loss)
        return float(np.exp(total / (len(ids) - 1)))

    def generate(self, seed: int) -> str:
        import torch

        torch.manual_seed(seed)
        ids, state = self.ids("The ")[None, :-1], None
        written = []
        with torch.inference_mode():
            for _ in range(N_GENERATED):
                raw, state = self.step(ids, state)
                ids = torch.multinomial(torch.softmax(raw[:, -1], -1), 1)
                written.append(int(ids))
        return self.tokenizer.inverse_transform([written])[0]


def _detached(state: Any) -> Any:
    if isinstance(state, tuple):
        return tuple(part.detach() for part in state)
    return state.detach()


def _language_model(case: Case, contender: str, seed: int) -> Any:
    """Return a fitted model, and the time of its fit, when all is compiled."""
    train, _ = load_text(case.tokenizer)
    text = train[: 6 * case.batch * (2 * case.window + 2)]  # a few windows
    if contender == "skdl":
        SkdlModel(case._replace(epochs=1), seed).fit(text)
        model: Any = SkdlModel(case, seed)
        return model, _both(partial(model.fit, train))
    TorchModel(case._replace(epochs=1), seed, train).fit(_ids_of(case, text))
    model = TorchModel(case, seed, train)
    return model, _both(partial(model.fit, model.ids(train)))


def _ids_of(case: Case, text: str) -> Any:
    return TorchModel(case, 0, text).ids(text)


def _work_on_text(case: Case, contender: str, seed: int) -> dict[str, float]:
    train, test = load_text(case.tokenizer)
    model, (wall, cpu, _) = _language_model(case, contender, seed)
    n = len(tokenizer_of(case.tokenizer).fit([train]).transform([train])[0])
    tokens = case.epochs * n / 1000
    return {
        "fit": wall,
        "fit cpu": cpu,
        "score speed": tokens / wall,
        "score perplexity": model.perplexity(test),
    }


def _generate(contender: str, seed: int) -> dict[str, float]:
    case = CASES["characters, LSTM 256, 64x64"]
    model, _ = _language_model(case._replace(batch=640), contender, seed)
    model.generate(seed)
    wall, cpu, text = _both(partial(model.generate, seed + 1))
    return {"fit": wall, "fit cpu": cpu, "score length": float(len(text))}


# ---- one answer a sequence


def _speakers(contender: str, seed: int) -> dict[str, float]:
    X, X_test, y, y_test = load_speakers()
    make = _skdl_classifier if contender == "skdl" else _skorch_classifier
    make(seed, 1).fit(X[:64], y[:64])
    model = make(seed, SPEAKERS["epochs"])
    wall, cpu, _ = _both(lambda: model.fit(X, y))
    accuracy = float((model.predict(X_test) == y_test).mean())
    return {"fit": wall, "fit cpu": cpu, "score accuracy": accuracy}


def _skdl_classifier(seed: int, epochs: int) -> Any:
    from skdl import RNNClassifier
    from skdl.optimizers import Adam

    return RNNClassifier(
        SPEAKERS["units"],
        optimizer=Adam(SPEAKERS["rate"]),
        batch_size=SPEAKERS["batch_size"],
        max_iter=epochs,
        n_iter_no_change="never",
        alpha=0.0,
        random_state=seed,
    )


def _skorch_classifier(seed: int, epochs: int) -> Any:
    import torch
    from skorch import NeuralNetClassifier
    from torch import nn

    class Speakers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTM(12, SPEAKERS["units"], batch_first=True)
            self.out = nn.Linear(SPEAKERS["units"], 9)

        def forward(self, x: Any, lengths: Any) -> Any:
            packed = nn.utils.rnn.pack_padded_sequence(
                x, lengths, batch_first=True, enforce_sorted=False
            )
            return self.out(self.cell(packed)[1][0][-1])

    class Padded(NeuralNetClassifier):
        def fit(self, X: Any, y: Any) -> Any:
            return super().fit(_padded(X), y)

        def predict(self, X: Any) -> Any:
            return super().predict(_padded(X))

    torch.manual_seed(seed)
    return Padded(
        Speakers,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=SPEAKERS["rate"],
        max_epochs=epochs,
        batch_size=SPEAKERS["batch_size"],
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def _padded(X: Any) -> dict[str, Any]:
    lengths = np.array([len(sequence) for sequence in X])
    x = np.zeros((len(X), lengths.max(), X[0].shape[1]), np.float32)
    for row, sequence in zip(x, X, strict=True):
        row[: len(sequence)] = sequence
    return {"x": x, "lengths": lengths}


# ---- vocabularies


def _vocabulary(contender: str, seed: int) -> dict[str, float]:
    """One update without the softmax over the vocabulary: 100 classes at each step."""
    import skdl
    from skdl.layers import LSTM, Dense, Embedding
    from skdl.losses import CrossEntropy
    from skdl.networks import Network
    from skdl.optimizers import Adam
    from skdl.training import Objective

    kind, _, size = contender.partition(" ")
    sparse, vocabulary = kind == "sparse", int(size)
    skdl.set_config(engine="numba")
    embedding = Embedding(vocabulary, 200, sparse=sparse)
    network = Network([embedding, LSTM(200), Dense(100)], (35,), np.float32)
    network.initialize(np.random.default_rng(seed))
    objective, optimizer = Objective(network, CrossEntropy()), Adam(clip_norm=1.0)
    theta = network.params.active
    state = optimizer.init(theta.size, np.float32)
    state.plan(100, 1, (), objective.track_rows() if sparse else None)
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, vocabulary + 1)  # as words are in texts
    share /= share.sum()

    def update(X: Any, y: Any) -> None:
        gradient = objective.loss_and_gradient(theta, X, y)[1]
        optimizer.update(theta, gradient, state)

    batches = [
        (rng.choice(vocabulary, (20, 35), p=share), rng.integers(0, 100, (20, 35)))
        for _ in range(40)
    ]
    for batch in batches[:5]:
        update(*batch)
    times = [_both(partial(update, *batch))[:2] for batch in batches]
    wall, cpu = np.median(times, axis=0)
    return {"fit": float(wall), "fit cpu": float(cpu)}


# ---- perplexity


def _perplexity(contender: str, seed: int) -> dict[str, float]:
    train, test = load_text("char")
    if contender == "5-gram":
        from benchmarks._ngram import NGram

        model: Any = NGram(5)
        wall, cpu, _ = _both(lambda: model.fit(train))
        return {"fit": wall, "fit cpu": cpu, "score": model.perplexity(test)}
    model, (wall, cpu, _) = _language_model(PERPLEXITY, contender, seed)
    return {"fit": wall, "fit cpu": cpu, "score": model.perplexity(test)}


# ---- measuring


def _both(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return wall-clock and processor time of a call, and its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return time.perf_counter() - wall, time.process_time() - cpu, result


_OTHERS = {
    "generate": _generate,
    "speakers": _speakers,
    "vocabulary": _vocabulary,
    "perplexity": _perplexity,
}


def work(case: str, contender: str, seed: int) -> dict[str, float]:
    """Measure one contender, in a process of its own."""
    if case in _OTHERS:
        return _OTHERS[case](contender, seed)
    return _work_on_text(CASES[case], contender, seed)


def main(rounds: int = 5, only: str | None = None) -> None:
    """Measure all and print."""
    rows = []
    for name, case in CASES.items():
        if only and only not in name:
            continue
        result = measure("benchmarks.rnn", name, CONTENDERS, rounds)
        speeds = [f"{result[c]['score speed']:.1f}" for c in CONTENDERS]
        found = " / ".join(f"{result[c]['score perplexity']:.2f}" for c in CONTENDERS)
        ratio = _ratio(result, "PyTorch", case.asked)
        rows.append([name, *speeds, ratio, found])
        print(" | ".join(rows[-1]), flush=True)
    if rows:
        heads = ("case (symbols, cell, window x batch)", *CONTENDERS)
        more = ("faster than PyTorch, wall / cpu", "held-out perplexity")
        print_table("Training, 1,000 symbols a second", (*heads, *more), rows)
    for name, table in (
        ("speakers", _speakers_table),
        ("generate", _generate_table),
        ("vocabulary", _vocabulary_table),
        ("perplexity", _perplexity_table),
    ):
        if not only or only in name:
            table(rounds)


def _ratio(result: Any, peer: str, asked: float) -> str:
    ours, theirs = result["skdl"], result[peer]
    wall, cpu = (theirs[key] / max(ours[key], 1e-9) for key in ("fit", "fit cpu"))
    return f"{wall:.2f}x / {cpu:.2f}x (asked {asked}x)"


def _speakers_table(rounds: int) -> None:
    contenders = ("skdl", "skorch")
    result = measure("benchmarks.rnn", "speakers", contenders, rounds)
    row = [f"{result[c]['fit']:.3f}" for c in contenders]
    row += [_ratio(result, "skorch", 2.0)]
    row += [" / ".join(f"{result[c]['score accuracy']:.4f}" for c in contenders)]
    heads = (*contenders, "faster than skorch, wall / cpu", "accuracy")
    print_table("Speakers by their vowels, LSTM 64, seconds of a fit", heads, [row])


def _generate_table(rounds: int) -> None:
    result = measure("benchmarks.rnn", "generate", CONTENDERS, rounds)
    row = [f"{1e6 * result[c]['fit'] / N_GENERATED:.0f}" for c in CONTENDERS]
    heads = (*CONTENDERS, "faster than PyTorch, wall / cpu")
    title = f"Generating {N_GENERATED} characters, LSTM 256, microseconds a character"
    print_table(title, heads, [[*row, _ratio(result, "PyTorch", 5.0)]])


def _vocabulary_table(rounds: int) -> None:
    sizes, rows = (5000, 50000), []
    contenders = [f"{kind} {n}" for kind in ("sparse", "dense") for n in sizes]
    result = measure("benchmarks.rnn", "vocabulary", contenders, rounds)
    for kind, asked in (("sparse", " (asked 1.3x at most)"), ("dense", "")):
        few, many = (result[f"{kind} {n}"] for n in sizes)
        wall, cpu = (many[key] / few[key] for key in ("fit", "fit cpu"))
        times = [f"{1e3 * part['fit']:.2f}" for part in (few, many)]
        rows.append([kind, *times, f"{wall:.2f}x / {cpu:.2f}x{asked}"])
    heads = ("embedding", *map(str, sizes), "times as long, wall / cpu")
    print_table("An update by the size of the vocabulary, milliseconds", heads, rows)


def _perplexity_table(rounds: int) -> None:
    contenders = (*CONTENDERS, "5-gram")
    result = measure("benchmarks.rnn", "perplexity", contenders, min(rounds, 1))
    rows = [
        [name, f"{row['score']:.3f}", f"{row['fit']:.0f}"]
        for name, row in result.items()
    ]
    title = f"Held-out perplexity a character, LSTM 256, {PERPLEXITY.epochs} epochs"
    print_table(title, ("model", "perplexity", "seconds"), rows)


if __name__ == "__main__":
    main()
