"""Loss, gradient and Hessian in one pass over the rows (compiled).

Each kernel writes g and h of shape (k, n) for the rows start…end−1 of y and raw, of
shape (n, k), times the rows' weights, and to `totals` the weighted sum of losses (of
each output, where they are separate). h is at least `least`, of shape (k,), times
abs(g).
"""

from __future__ import annotations

import math

import numpy as np

from skdl.ops._numba._inner import entry


@entry
def squared(y, raw, weight, weighted, least, start, end, g, h, totals):  # type: ignore[no-untyped-def]
    """½(raw − y)²; h is written only where rows have weights."""
    for k in range(raw.shape[1]):
        total = 0.0
        for i in range(start, end):
            w = weight[i] if weighted else 1.0
            error = raw[i, k] - y[i, k]
            g[k, i] = w * error
            if weighted:
                h[k, i] = w
            total += 0.5 * w * error * error
        totals[k] = total


@entry
def binary(y, raw, weight, weighted, least, start, end, g, h, totals):  # type: ignore[no-untyped-def]
    """ln(1 + e^raw) − y·raw. The logarithms of 256 rows are that of a product."""
    total = 0.0
    product = 1.0
    for i in range(start, end):
        r, target = raw[i, 0], y[i, 0]
        small = math.exp(-abs(r))
        upper = 1.0 / (1.0 + small)
        p = upper if r >= 0 else small * upper
        slope = p - target
        curve = max(small * upper * upper, least[0] * abs(slope))
        flat = max(r, 0.0) - target * r
        if weighted:
            w = weight[i]
            total += w * (flat + math.log1p(small))
            g[0, i] = w * slope
            h[0, i] = w * curve
        else:
            total += flat
            product *= 1.0 + small
            if i % 256 == 0:
                total += math.log(product)
                product = 1.0
            g[0, i] = slope
            h[0, i] = curve
    totals[0] = total + math.log(product)


@entry
def multinomial(y, raw, weight, weighted, least, start, end, g, h, totals):  # type: ignore[no-untyped-def]
    """−ln of the softmax of the true class; y holds class codes, of shape (n,)."""
    n_classes = raw.shape[1]
    total = 0.0
    p = np.empty(n_classes)
    for i in range(start, end):
        top = raw[i, 0]
        for k in range(1, n_classes):
            top = max(top, raw[i, k])
        norm = 0.0
        for k in range(n_classes):
            p[k] = math.exp(raw[i, k] - top)
            norm += p[k]
        w = weight[i] if weighted else 1.0
        true = np.int64(y[i])
        total += w * (math.log(norm) - (raw[i, true] - top))
        for k in range(n_classes):
            share = p[k] / norm
            slope = share - (1.0 if k == true else 0.0)
            g[k, i] = w * slope
            h[k, i] = w * max(share * (1.0 - share), least[k] * abs(slope))
    totals[0] = total
