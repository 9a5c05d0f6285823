"""The signatures of a folder's Python as JSON, from a process of its own: `python -m runtime.extend FOLDER`."""

import os
import sys
from pathlib import Path

import msgspec

from runtime.extend.frozen import Frozen
from runtime.extend.loading import own_python
from runtime.extend.modules import OwnPythonError


def main(folder: Path) -> None:
    """Print the signatures; what the modules themselves print goes to standard error."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        out.write(msgspec.json.encode(_frozen(folder)))
    os._exit(0)  # waits for no thread that a module has left


def _frozen(folder: Path) -> Frozen:
    try:
        placed = own_python(folder)
    except OwnPythonError as error:
        return Frozen(problem=str(error))
    return Frozen([one.entry for one in placed], [one.place for one in placed])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
