"""Corrects one formula in a converted graph: a sublinear term frequency is 1 + log(tf).

skl2onnx writes log(1 + tf), which differs for every word that a text holds twice. Called by
`deploy.compile.convert`. https://scikit-learn.org/stable/modules/feature_extraction.html#tfidf-term-weighting
"""

from typing import Any

from onnx import helper


def correct(graph: Any) -> None:
    """Replace Log(Add(tf, 1)) behind a TfIdfVectorizer by sign(tf) · (1 + log(max(tf, 1)))."""
    makers = {output: node for node in graph.node for output in node.output}
    nodes = []
    for node in graph.node:
        plus = makers.get(node.input[0]) if node.op_type == "Log" else None
        counts = makers.get(plus.input[0]) if plus is not None and plus.op_type == "Add" else None
        if plus is None or counts is None or counts.op_type != "TfIdfVectorizer":
            nodes.append(node)
            continue
        (tf, one), name = plus.input, node.output[0]
        nodes += [
            helper.make_node("Max", [tf, one], [f"{name}_most"]),
            helper.make_node("Log", [f"{name}_most"], [f"{name}_log"]),
            helper.make_node("Add", [f"{name}_log", one], [f"{name}_raised"]),
            helper.make_node("Sign", [tf], [f"{name}_found"]),
            helper.make_node("Mul", [f"{name}_raised", f"{name}_found"], [name]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
