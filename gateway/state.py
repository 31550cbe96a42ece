"""What the lifespan makes and every request can reach."""

from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from databases import Database

from gateway.accounts.attempts import Attempts
from gateway.accounts.passwords import Passwords
from gateway.agui.followed import Followed
from gateway.audit.failures import Failures
from gateway.files.objects import Objects
from gateway.files.storage import Storage
from gateway.identities.bearers import Bearers
from gateway.identities.providers import Providers
from gateway.keys.known import Keys
from gateway.leaving.working import Deletions
from gateway.mail.sending import Mail
from gateway.parts.looking import Looking
from gateway.published.signing import CardSigner
from gateway.remote.outbound import Outbound
from gateway.requests.bridges import Bridges
from gateway.signins.revocations import Revocations
from gateway.streams.changes import Changes
from gateway.streams.deliveries import Deliveries
from gateway.streams.heard import Heard
from gateway.streams.sockets import Sockets
from gateway.streams.storing import Storing
from gateway.streams.watch import Watch
from gateway.web.replica import Replica
from gateway.web.room import SharedRoom
from gateway.web.sealing import Sealing
from gateway.web.turns import Turns
from shared.notifications.bus import Notifications
from shared.process.batching import Batcher
from shared.process.drain import Drain
from shared.process.health import Readiness
from shared.process.later import Once
from shared.process.strangers import Strangers
from shared.secrets import Vault
from shared.settings.gateway import GatewaySettings

if TYPE_CHECKING:
    from gateway.accounts.queries import Named
    from gateway.published.server import Server
    from gateway.signins.queries import NewSignIn


class State(TypedDict):
    """The resources of the process."""

    settings: GatewaySettings
    database: Database
    replica: Replica
    notifications: Notifications
    bridges: Bridges
    vault: Vault
    sealing: Sealing
    passwords: Passwords
    named: "Batcher[str, Named]"
    signing_in: "Batcher[NewSignIn, list[UUID] | None]"
    attempts: Attempts
    mail: Mail
    failures: Failures
    strangers: Strangers
    revocations: Revocations
    providers: Providers
    bearers: Bearers
    keys: Keys
    watch: Watch
    changes: Changes[str]
    topics: Changes[tuple[str, ...]]
    sockets: Sockets
    heard: Heard
    storing: Storing
    deliveries: Deliveries
    followed: Followed
    card_signer: CardSigner
    a2a_server: "Once[Server]"
    storage: Storage
    objects: Objects
    deletions: Deletions
    outbound: Outbound
    readiness: Readiness
    looking: Looking
    turns: Turns
    large_frames: SharedRoom
    drain: Drain
