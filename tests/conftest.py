"""What holds for every test."""

from hypothesis import HealthCheck, settings

# Machines are noisy: an example that takes long once is not a bug.
settings.register_profile("dspx", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dspx")
