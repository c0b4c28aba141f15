"""The service's own fixtures, as jobs are tested with."""

from tests.jobs.conftest import clock, services

__all__ = ["clock", "services"]
