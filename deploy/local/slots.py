"""Slots: which replica each of nginx's upstream servers leads to. Replicas in, symbolic links out.

nginx can't be told of new servers without a reload, and a reload breaks kept-alive connections. So
its upstream is a fixed list of slots, sockets `run/slots/00.sock` and so on, each a link to some
replica's socket. Scaling re-points links; nginx follows with its next connection.
"""

from pathlib import Path

# Shared out evenly among up to 8 replicas, give or take 5 %. Picking one of 48 costs nginx well
# under a microsecond.
SLOTS = 48


def slot_paths(run: Path) -> list[Path]:
    """Return the path of each slot."""
    return [run / "slots" / f"{number:02d}.sock" for number in range(SLOTS)]


def point_slots(run: Path, sockets: list[str]) -> int:
    """Share the slots out among the sockets, names within `run`, and return how many changed.

    Without any socket nothing changes: a request then learns from a replica that it isn't ready,
    or that there is none.
    """
    changed = 0
    for number, slot in enumerate(slot_paths(run)):
        if not sockets:
            break
        target = Path("..", sockets[number % len(sockets)])
        if slot.is_symlink() and slot.readlink() == target:
            continue
        beside = slot.with_suffix(".new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(target)
        beside.rename(slot)  # at once: a connection made now leads to the old or the new replica
        changed += 1
    return changed


def served_sockets(run: Path) -> set[str]:
    """Return the names of the sockets that slots lead to."""
    return {slot.readlink().name for slot in slot_paths(run) if slot.is_symlink()}
