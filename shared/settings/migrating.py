"""What the migration needs to know: where the database is, and as whom it changes its tables."""

from collections.abc import Mapping

import attrs
from attrs import frozen

from shared.settings.common import PostgresSettings
from shared.settings.reading import secret, setting


def _has_its_own_role(environment: Mapping[str, str | None]) -> bool:
    return bool(environment.get("MIGRATE_POSTGRES_USER"))


@frozen(kw_only=True, slots=False)
class MigratingSettings(PostgresSettings):
    """The database of the services, and the role that owns its tables where theirs does not."""

    migrate_postgres_user: str | None = setting(str, default=None)
    migrate_postgres_password: str | None = secret(str, default=None, needed=_has_its_own_role)

    @property
    def owner_url(self) -> str:
        """The URL of the database for the role that owns its tables."""
        user, password = self.migrate_postgres_user, self.migrate_postgres_password
        if user is None or password is None:
            return self.database_url
        return attrs.evolve(self, postgres_user=user, postgres_password=password).database_url

    @property
    def services_role(self) -> str | None:
        """The role of the services where it is another one."""
        is_another = self.migrate_postgres_user not in {None, self.postgres_user}
        return self.postgres_user if is_another else None
