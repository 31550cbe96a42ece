"""The command beside the shared system, as the role of its services."""

import pytest

from tests.gateway.admin.commands import Admin, variables_of
from tests.system import System


@pytest.fixture(scope="session")
def admin(system: System) -> Admin:
    return Admin(variables_of(system))
