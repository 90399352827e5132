"""Buckets of a split route: shares in percent in, a version for each of a thousand buckets out.

nginx puts each client into a bucket by its key. When shares change, only as many buckets change hands
as must, so that clients stay on their version.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

BUCKETS = 1000
NAMES = tuple(f"{number:03d}" for number in range(BUCKETS))


def assign(weights: Mapping[str, float], before: Sequence[str]) -> list[str]:
    """Return the version of each bucket.

    `weights` are percent, whole tenths, 100 together; `before` is the version of each bucket until now.
    """
    room = Counter({version: round(weight * BUCKETS / 100) for version, weight in weights.items()})
    after = []
    for version in before:
        stays = room[version] > 0
        room[version] -= stays
        after.append(version if stays else "")
    free = iter(sorted(room.elements(), key=int))
    return [version or next(free) for version in after]
