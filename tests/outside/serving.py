"""A server of the flows of this folder, with secrets that tests know."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.runtime.cli.process import ROOT, ServerProcess

FLOWS: Final = Path(__file__).parent / "flows"
SECRETS: Final = {
    "TOKEN": "t0ken",
    "USER": "ana",
    "PASSWORD": "senha",
    "CHAVE": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "CHAVE_ANTIGA": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
}
_SETTINGS: Final = """\
[config]
erp = "http://127.0.0.1:9"
crm = "http://127.0.0.1:9"

[secrets]
"""


@contextmanager
def server(folder: Path, *, examples: bool = False) -> Iterator[ServerProcess]:
    """Serve the flows of this folder, and those of `flows/` where a test wants them too."""
    flows = folder / "flows"
    shutil.copytree(FLOWS, flows)
    for file in (ROOT / "flows").glob("*.seta") if examples else ():
        shutil.copy(file, flows)
    for name, secret in SECRETS.items():
        (flows / name).write_text(secret)
    places = "".join(f'{name} = "file:{name}"\n' for name in SECRETS)
    (flows / "seta.toml").write_text(_SETTINGS + places)
    with ServerProcess(folder) as serving:
        yield serving
