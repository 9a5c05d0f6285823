"""What every test shares."""

from hypothesis import settings

settings.register_profile("seta", deadline=None, derandomize=True)
settings.load_profile("seta")
