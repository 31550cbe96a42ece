"""What the lifespan makes and every request can reach."""

from collections import Counter
from typing import TypedDict
from uuid import UUID

from databases import Database

from gateway.attempts import Attempts
from gateway.files.storage import Storage
from gateway.outbound import Outbound
from gateway.passwords import Passwords
from gateway.watch import Watch
from shared.news import News
from shared.secrets import Vault
from shared.settings import Settings


class State(TypedDict):
    """The resources of the process."""

    settings: Settings
    database: Database
    news: News
    vault: Vault
    passwords: Passwords
    attempts: Attempts
    watch: Watch
    sockets: Counter[UUID]  # open here, of each user
    storage: Storage
    outbound: Outbound
