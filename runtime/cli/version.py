"""The version that is installed."""

from importlib import metadata


def version() -> str:
    """Give it, or nothing where the package is not installed."""
    try:
        return metadata.version("seta")
    except metadata.PackageNotFoundError:
        return ""
