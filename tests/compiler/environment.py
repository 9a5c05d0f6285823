"""What the programs of the tests and of the docs are compiled against: the settings of a made-up folder."""

from typing import Final

from runtime.connections.declared import Http
from runtime.folder import FolderSettings
from runtime.steps import catalog

CONFIG: Final = {"erp": "http://erp.example", "crm": "http://crm.example"}
SETTINGS: Final = FolderSettings(
    CONFIG,
    connections={
        "erp": Http("https://erp.example/api"),
        "crm": Http("https://crm.example", idempotent=True),
    },
)
ENVIRONMENT: Final = SETTINGS.environment(catalog())
