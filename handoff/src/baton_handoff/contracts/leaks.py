"""Columns that give the target away: what may not be known when the model has to predict."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.column_notes import Note, NoteKind

_MOST_ROWS = 5000
_PERFECT = 0.98
"""The balanced accuracy or r² from which a single column predicts too well."""

_EXACT = 0.9999
"""The r² from which a formula holds."""

_LEAST_FILLED = 5
_FOLDS = 3
_MOST_CATEGORIES = 100

Numbers = npt.NDArray[np.float64]


def leaks(
    columns: Mapping[str, pa.ChunkedArray],
    target: str,
    labels: pa.ChunkedArray,
    *,
    is_quantity: bool,
) -> list[Note]:
    """Return a note for each column, or formula of columns, that gives the target away.

    Args:
        columns: The columns of the model's input, by their names in the file.
        target: The name of the target.
        labels: Its values, none missing.
        is_quantity: Whether it is a quantity, else a class.
    """
    if len(labels) > _MOST_ROWS:
        # The same rows each time, from all over the table.
        chosen = np.random.default_rng(1).choice(len(labels), _MOST_ROWS, replace=False)
        places = pa.array(np.sort(chosen))
        labels = labels.take(places)
        columns = {name: values.take(places) for name, values in columns.items()}
    found = [] if is_quantity else [n for c in columns for n in _filled(c, columns[c], labels)]
    if is_quantity:
        found += _formula(columns, target, labels)
    named = {note.column for note in found}
    found += [
        note
        for name, values in columns.items()
        if name not in named
        for note in _alone(name, values, labels, is_quantity=is_quantity)
    ]
    return found


def _filled(name: str, values: pa.ChunkedArray, labels: pa.ChunkedArray) -> Iterator[Note]:
    """Look for values that only rows of one class have, or lack."""
    if not values.null_count:
        return
    present = pc.is_valid(values)
    for kind, rows in ((NoteKind.LEAK_FILLED, present), (NoteKind.LEAK_ABSENT, pc.invert(present))):
        classes = pc.unique(labels.filter(rows)).to_pylist()
        count = pc.sum(rows).as_py()
        if len(classes) != 1 or count < _LEAST_FILLED:
            continue
        share = pc.sum(pc.equal(labels, classes[0])).as_py() / len(labels)
        # By chance all of them would have the class with this probability.
        if share**count < 0.001:
            yield Note(kind, name, (str(classes[0]),), count)
            return


def _formula(
    columns: Mapping[str, pa.ChunkedArray], target: str, labels: pa.ChunkedArray
) -> list[Note]:
    """Look for columns of numbers whose weighted sum, or product of powers, is the target."""
    numeric = {
        name: values
        for name, values in columns.items()
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    }
    if not numeric:
        return []
    y = _floats(labels)
    table = np.column_stack([_floats(values) for values in numeric.values()])
    complete = ~np.isnan(table).any(axis=1) & np.isfinite(y)
    table, y = table[complete], y[complete]
    names = list(numeric)
    if len(y) < 10 * (len(names) + 1):
        return []
    if used := _terms(table, y):
        formula = " + ".join(_term(weight, names[place]) for place, weight in used)
        return [
            Note(NoteKind.LEAK_SUM, names[place], (f"{formula} = {target}",)) for place, _ in used
        ]
    positive = [bool(column.min() > 0) for column in table.T]
    if y.min() > 0 and any(positive):
        names = [name for name, is_positive in zip(names, positive, strict=True) if is_positive]
        used = _terms(np.log(table[:, positive]), np.log(y))
        if used and all(abs(abs(power) - 1) < 0.01 for _, power in used):
            formula = " * ".join(f"{names[n]}{'' if p > 0 else '⁻¹'}" for n, p in used)
            return [
                Note(NoteKind.LEAK_PRODUCT, names[n], (f"{formula} ~ {target}",)) for n, _ in used
            ]
    return []


def _terms(table: Numbers, y: Numbers) -> list[tuple[int, float]]:
    """Return position and weight of the columns whose weighted sum is `y`, [] if none is."""
    spread = table.std(axis=0)
    if not (y.std() and spread.any()):
        return []
    varied = np.flatnonzero(spread)
    scaled = (table[:, varied] - table[:, varied].mean(axis=0)) / spread[varied]
    centred = (y - y.mean()) / y.std()
    weights, *_ = np.linalg.lstsq(scaled, centred, rcond=None)
    if 1 - np.mean((scaled @ weights - centred) ** 2) < _EXACT:
        return []
    used = [n for n, weight in enumerate(weights) if abs(weight) > 0.001]
    weights, *_ = np.linalg.lstsq(scaled[:, used], centred, rcond=None)
    if 1 - np.mean((scaled[:, used] @ weights - centred) ** 2) < _EXACT:
        return []
    factors = weights * y.std() / spread[varied][used]
    return [(int(varied[n]), float(factor)) for n, factor in zip(used, factors, strict=True)]


def _alone(
    name: str, values: pa.ChunkedArray, labels: pa.ChunkedArray, *, is_quantity: bool
) -> Iterator[Note]:
    """Look for a single column that predicts the target almost perfectly."""
    # Only projects that train have it.
    from sklearn.model_selection import cross_val_score  # noqa: PLC0415
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415

    features = _features(values)
    if features is None:
        return
    order = np.random.default_rng(1).permutation(len(labels))
    leaves = max(8, features.shape[1] + 1)
    if is_quantity:
        tree, scoring, text = DecisionTreeRegressor(min_samples_leaf=2), "r2", "r²"
        y: Any = _floats(labels)
    else:
        y = np.array([str(label) for label in labels.to_pylist()])
        classes = len(set(y))
        tree = DecisionTreeClassifier(
            max_leaf_nodes=max(leaves, 2 * classes), class_weight="balanced", random_state=1
        )
        scoring, text = "balanced_accuracy", "balanced accuracy"
    score = float(
        cross_val_score(tree, features[order], y[order], cv=_FOLDS, scoring=scoring).mean()
    )
    if score >= _PERFECT:
        yield Note(NoteKind.LEAK, name, (f"{text} {score:.3f}",))


def _features(values: pa.ChunkedArray) -> Numbers | None:
    """Return a column as numbers for a tree, None for texts of which each is another."""
    missing = np.asarray(pc.is_null(values).to_numpy(), np.float64)
    if pa.types.is_string(values.type):
        codes = pc.dictionary_encode(values).combine_chunks()
        if len(codes.dictionary) > min(_MOST_CATEGORIES, len(values) / 4):
            return None
        places = np.asarray(codes.indices.fill_null(-1).to_numpy(zero_copy_only=False))
        return np.asarray(places[:, None] == np.arange(len(codes.dictionary)), np.float64)
    return np.column_stack([np.nan_to_num(_floats(values), nan=0.0), missing])


def _floats(values: pa.ChunkedArray) -> Numbers:
    if pa.types.is_timestamp(values.type) or pa.types.is_boolean(values.type):
        values = pc.cast(values, pa.int64())
    return np.asarray(pc.cast(values, pa.float64()).to_numpy(), np.float64)


def _term(weight: float, name: str) -> str:
    near = round(weight, 3)
    return name if near == 1 else f"{near:g}·{name}"
