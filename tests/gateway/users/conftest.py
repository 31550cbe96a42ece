"""Somebody who administers."""

from collections.abc import AsyncIterator

import pytest

from tests.sql import Sql
from tests.system import System
from tests.users import User, insert_user


@pytest.fixture
async def administrator(system: System, sql: Sql) -> AsyncIterator[User]:
    async with insert_user(system, sql) as user:
        # The only one: there may be others of other tests.
        sql("UPDATE users SET role = CASE id WHEN %s THEN 'admin' ELSE 'user' END", user.id)
        yield user
