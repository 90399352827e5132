"""Converting: a fitted estimator and its signature come in, ONNX graphs for all its outputs go out.

Called by `deploy.compile.choose`, which then checks what came out: nothing here promises equal answers.
"""

import contextlib
import copy
import io
import logging
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import BooleanTensorType, DoubleTensorType, StringTensorType
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer

from deploy.compile import imputer, sublinear, trees
from service.manifest import Graph
from service.signature import Signature

# What scikit-learn's default pattern means by a word. The converter's own stand-in knows ASCII only,
# and takes single letters for words.
WORD, WORD_IN_ONNX = r"(?u)\b\w\w+\b", r"[\p{L}\p{N}_]{2,}"
_TYPES = {"float64": DoubleTensorType, "string": StringTensorType, "bool": BooleanTensorType}


class NotConvertible(Exception):  # noqa: N818  # named after what it is
    """A model that has no ONNX form; the message says why."""


@dataclass(frozen=True)
class Converted:
    """Graphs by file name, what the manifest says of them, and whether texts go in lower-cased."""

    files: dict[str, bytes]
    graphs: tuple[Graph, ...]
    lowercase: bool


def convert(estimator: Any, signature: Signature) -> Converted:
    """Convert a fitted estimator; raise `NotConvertible` unless every output can be had.

    All or none: one output left to scikit-learn would bring it into every replica.
    """
    trees.register()
    imputer.register()
    inputs = _inputs(signature, named=bool(_find(estimator, ColumnTransformer)))
    words = _find(estimator, CountVectorizer)
    lowercase = signature.kind == "text" and bool(words) and all(each.lowercase for each in words)
    if lowercase:
        estimator = copy.deepcopy(estimator)
        for each in _find(estimator, CountVectorizer):
            each.lowercase = False
    options = {
        id(each): {"tokenexp": WORD_IN_ONNX}
        for each in _find(estimator, CountVectorizer)
        if each.analyzer == "word" and each.token_pattern == WORD
    }
    last = _last(estimator)
    classifies = hasattr(last, "classes_")
    names = [each.name for each in signature.outputs]
    files, graphs = {}, []
    for file, outputs, raw in _split(names, classifies):
        chosen: dict[str, Any] = {"zipmap": False} if classifies else {}
        if raw:
            chosen["raw_scores"] = True
        model = _convert(estimator, inputs, {**options, id(last): chosen} if chosen else options)
        given = [each.name for each in model.graph.output]
        places = {name: 0 if name == names[0] else 1 for name in outputs}
        missing = [name for name, place in places.items() if place >= len(given)]
        if missing:
            raise NotConvertible(f"skl2onnx has no {', '.join(missing)} for {type(last).__name__}")
        files[file] = model.SerializeToString()
        graphs.append(Graph(file, {name: given[place] for name, place in places.items()}))
    return Converted(files, tuple(graphs), lowercase)


def _split(names: list[str], classifies: bool) -> list[tuple[str, list[str], bool]]:
    """Return for each graph its file, its outputs, and whether it gives raw scores.

    A classifier's graph gives labels and one kind of scores; the other kind needs a second graph.
    """
    first = names[0]
    if not classifies or "predict_proba" not in names:
        return [("model.onnx", names, False)]
    graphs = [("model.onnx", [first, "predict_proba"], False)]
    others = [name for name in names if name not in (first, "predict_proba")]
    if "transform" in others:
        raise NotConvertible("a classifier that also transforms has no ONNX form here")
    if others:
        graphs.append(("decision_function.onnx", others, True))
    return graphs


def _convert(estimator: Any, inputs: list[tuple[str, Any]], options: dict[int, Any]) -> Any:
    with _quiet():
        try:
            try:
                model = convert_sklearn(estimator, "flotilla", inputs, options=options)
            except NameError:  # some classifiers have no such option, and no ZipMap either
                for each in options.values():
                    each.pop("zipmap", None)
                model = convert_sklearn(estimator, "flotilla", inputs, options=options)
            sublinear.correct(model.graph)
            onnx.checker.check_model(model)
        except (MissingConverter, MissingShapeCalculator) as error:
            unknown = re.search(r"<class '(?:.*\.)?(.*?)'>", str(error))
            raise NotConvertible(
                f"skl2onnx can't convert {unknown[1] if unknown else 'a part of it'}"
            ) from error
        except Exception as error:  # converters raise whatever they like
            reason = " ".join(str(error).split()) or "no reason given"
            raise NotConvertible(f"{type(error).__name__}: {reason[:300]}") from error
    return model


def _inputs(signature: Signature, named: bool) -> list[tuple[str, Any]]:
    """Return the graph's inputs; numbers whose names no part of the model asks for are one matrix."""
    if signature.kind == "table" and not named and {e.dtype for e in signature.inputs} == {"float64"}:
        return [("x", DoubleTensorType([None, signature.width]))]
    if signature.kind == "tensor":
        return [(signature.inputs[0].name, DoubleTensorType([None, signature.width]))]
    if signature.kind == "text":
        return [(signature.inputs[0].name, StringTensorType([None]))]
    for each in signature.inputs:
        if each.nullable and each.dtype != "float64":
            raise NotConvertible(f"{each.name} may be missing, and ONNX has that for numbers only")
    return [(each.name, _TYPES[each.dtype]([None, 1])) for each in signature.inputs]


def _last(estimator: Any) -> Any:
    """Return the last step of a pipeline, the estimator itself where it is none."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator


def _find(estimator: Any, kind: type) -> list[Any]:
    """Return the parts of an estimator that are of a kind, in a fixed order."""
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    fitted = [each for each in (estimator, *parts) if isinstance(each, kind)]
    return list({id(each): each for each in fitted}.values())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what converters print, log and warn of off the user's screen."""
    off = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(off)
