"""Whether clients of one version can go on with another: two signatures in, what differs out."""

from service.signature import Signature


def differences(live: Signature, new: Signature) -> list[str]:
    """Return in words what clients of `live` would notice; nothing where all their requests still work.

    Further outputs and other classes are no difference: requests stay right, and answers may change.
    """
    if live.kind != new.kind:
        return [f"a row was {live.describe_row()}, now it is {new.describe_row()}"]
    found = []
    if live.kind == "tensor" and live.width != new.width:
        found.append(f"a row had {live.width} numbers, now it has {new.width}")
    if live.kind == "table":
        before, after = ({each.name: each for each in s.inputs} for s in (live, new))
        found += [f"the column {name!r} is gone" for name in before if name not in after]
        found += [f"the column {name!r} is new" for name in after if name not in before]
        both = [(before[name], after[name]) for name in before if name in after]
        found += [
            f"{a.name!r} was {a.dtype}, now it is {b.dtype}" for a, b in both if a.dtype != b.dtype
        ]
        if not found and live.columns != new.columns:
            found.append("the columns are in another order, and rows may be lists")
    else:
        both = list(zip(live.inputs, new.inputs, strict=True))
    found += [f"{a.name!r} may not be null any more" for a, b in both if a.nullable and not b.nullable]
    outputs = {each.name: each for each in new.outputs}
    for output in live.outputs:
        if output.name not in outputs:
            found.append(f"the output {output.name!r} is gone")
        elif outputs[output.name].dtype != output.dtype:
            found.append(f"{output.name!r} was {output.dtype}, now it is {outputs[output.name].dtype}")
    if live.outputs[0].name != new.outputs[0].name:
        found.append(f"the answer was {live.outputs[0].name!r}, now it is {new.outputs[0].name!r}")
    return found
