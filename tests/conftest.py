"""What every test shares: hypothesis without wall-clock deadlines, and a long profile for make fuzz."""

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")

pytest_plugins = ["pytester"]
"""For the tests of our own plug-in."""
