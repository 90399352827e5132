"""Two searches, without a clock or a network: a function that measures comes in, a number goes out."""

from collections.abc import Callable

# Twice the connections that give less than this more don't give more.
LEAST_GAIN = 0.03
# Rates are tried in twentieths of the peak: finer than runs of some seconds can tell apart.
NOTCHES = 20


def saturating(achieved: Callable[[int], float], first: int, most: int) -> int:
    """Return the fewest connections, of `first` and its doubles, that give all there is.

    `achieved` measures right replies a second with so many connections in a closed loop.
    """
    rates: dict[int, float] = {}
    connections = first
    while connections <= most:
        before = max(rates.values(), default=0.0)
        rates[connections] = achieved(connections)
        if rates[connections] < before * (1 + LEAST_GAIN):
            break
        connections *= 2
    enough = max(rates.values(), default=0.0) / (1 + LEAST_GAIN)
    return min((each for each, rate in rates.items() if rate >= enough), default=first)


def highest(passes: Callable[[int], bool], guess: int) -> int:
    """Return the highest notch, 1 to `NOTCHES`, that passes; 0 where none does.

    Those below one that passes are taken to pass as well. It begins with the guess and goes from there
    in strides that double, then halves what is left: a good guess costs two measurements.
    """
    low, high, stride = 0, NOTCHES + 1, 1
    notch = min(max(guess, 1), NOTCHES)
    while high - low > 1:
        if passes(notch):
            low = notch
        else:
            high = notch
        if low == 0:
            notch, stride = max(1, high - stride), 2 * stride
        elif high > NOTCHES:
            notch, stride = min(NOTCHES, low + stride), 2 * stride
        else:
            notch = (low + high) // 2
    return low
