"""One signature of each kind, for the tests of the protocols."""

from service.signature import Signature, Tensor

OUTPUTS = (Tensor("predict", "int64"), Tensor("predict_proba", "float64", (-1, 2)))
TENSOR = Signature("tensor", (Tensor("x", "float64", (-1, 3)),), OUTPUTS)
GAPS = Signature("tensor", (Tensor("x", "float64", (-1, 3), nullable=True),), OUTPUTS)
TEXT = Signature("text", (Tensor("text", "string"),), (Tensor("predict", "string"),))
TABLE = Signature(
    "table",
    (
        Tensor("size", "float64"),
        Tensor("city", "string", nullable=True),
        Tensor("rooms", "int64"),
        Tensor("new", "bool"),
    ),
    OUTPUTS,
)
EVERY_KIND = (TENSOR, GAPS, TEXT, TABLE)
MAX_ROWS = 4
