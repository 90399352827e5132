"""What a label has to be: a signature comes in, what reads labels for its predictions goes out."""

from math import isfinite
from typing import Any, Literal

from service.counting.predicted import OUTPUT
from service.errors import BadInput
from service.protocols.refusal import describe
from service.signature import DType, Signature

TaskName = Literal["label", "number"]
MOST_CHARACTERS = 256

_NOUNS: dict[DType, str] = {
    "float64": "a number",
    "int64": "a whole number",
    "string": f"a string of at most {MOST_CHARACTERS} characters",
    "bool": "true or false",
}


class Task:
    """What a version predicts: one of its classes, or, where it has none, a number."""

    def __init__(self, dtype: DType, classes: tuple[Any, ...]) -> None:
        self.name: TaskName = "label" if classes else "number"
        self.classes = classes
        self._dtype = dtype
        self._known = {each: each for each in classes}

    def read(self, given: Any, at: str) -> Any:
        """Return a label in the type of the predictions; raise `BadInput` where it has another one.

        `at` names the label's place in the request.
        """
        label = self._typed(given)
        if label is None:
            raise BadInput(f"{at}: expected {_NOUNS[self._dtype]}, got {describe(given)}")
        return label

    def knows(self, label: Any) -> bool:
        """Tell whether the version could have predicted this."""
        return self.name == "number" or label in self._known

    def _typed(self, given: Any) -> Any:
        match self._dtype, given:
            case ("bool", bool()):
                return given
            case (_, bool()):  # which is an int to Python
                return None
            case ("string", str()):
                return given if len(given) <= MOST_CHARACTERS else None
            case ("float64", int() | float()):
                try:
                    return float(given) if isfinite(given) else None
                except OverflowError:
                    return None
            case ("int64", int()):
                return given if -(2**63) <= given < 2**63 else None
            case ("int64", float()):
                return int(given) if given.is_integer() and abs(given) < 2**63 else None
        return None


def task_of(signature: Signature) -> Task | None:
    """Return what a version predicts, or None where that is neither a class nor a number a row."""
    first = signature.outputs[0]
    if first.name != OUTPUT or len(first.shape) > 1:
        return None
    if not signature.classes and first.dtype != "float64":
        return None  # a cluster's number, or whatever else isn't measured by its distance
    return Task(first.dtype, signature.classes)
