"""The scaling law as a report needs it: the law, or the sentence why there is none."""

from deploy.errors import Refused
from loadtest.law.fit import fit
from loadtest.law.law import Law
from loadtest.study.study import Study


def law_of(study: Study) -> tuple[Law | None, str]:
    """Return the law and nothing, or nothing and why it can't be fitted."""
    try:
        return fit(study), ""
    except Refused as error:
        return None, str(error)
