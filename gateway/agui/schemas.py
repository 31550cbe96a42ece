"""What a front-end sends to have an agent run."""

from typing import Annotated, Any, ClassVar

from attrs import field, frozen
from msgspec import Meta

from gateway.agui.messages import Id, ThreadMessage, without_nul
from gateway.openapi.schemas import Json
from gateway.streams.histories import MESSAGES_LIMIT
from gateway.web.examples import SESSION_ID

INSTRUCTIONS = {"system", "developer"}
NO_INTERRUPTS = "There is nothing to resume: no run here is ever interrupted"
Resume = Annotated[
    list[Any], Meta(max_length=0, description="Empty.", extra={"error": NO_INTERRUPTS})
]


@frozen
class ContextEntry:
    """Something that the agent is to know, which nobody has said."""

    description: str
    value: str


@frozen
class RunAgentInput:
    """What is to be answered in which thread, and what came before it."""

    example: ClassVar[Json] = {
        "threadId": SESSION_ID,
        "runId": "run-1",
        "messages": [{"id": "message-1", "role": "user", "content": "What is the time?"}],
    }

    threadId: Annotated[  # noqa: N815 (the protocol's words)
        Id, Meta(description="The session: its id, or any text that stands for it.")
    ]
    runId: Id  # noqa: N815
    messages: Annotated[list[ThreadMessage], Meta(max_length=MESSAGES_LIMIT)] = field(repr=False)
    forwardedProps: Annotated[  # noqa: N815
        Any,
        Meta(description="`model` of it names who answers: a model config, an agent or a flow."),
    ] = None
    resume: Resume | None = None
    context: list[ContextEntry] | None = field(default=None, repr=False)
    state: Annotated[Any, Meta(description="Ignored: no state is shared.")] = None
    tools: Annotated[Any, Meta(description="Ignored: agents call no tools of front-ends.")] = None

    @property
    def earlier(self) -> list[ThreadMessage]:
        """What came before the user's last message."""
        return self.messages[: self._place]

    @property
    def message(self) -> ThreadMessage | None:
        """The user's last message, if there is any."""
        return self.messages[self._place] if self._place is not None else None

    @property
    def later(self) -> list[ThreadMessage]:
        """What the front-end has that came after it."""
        return [] if self._place is None else self.messages[self._place + 1 :]

    @property
    def system_prompt(self) -> str | None:
        """What the application says to the agent itself."""
        said = [without_nul(each.text) for each in self.messages if each.role in INSTRUCTIONS]
        return "\n\n".join(filter(None, said)) or None

    @property
    def background(self) -> str | None:
        """The context as a text."""
        known = [f"{each.description}:\n{each.value}" for each in self.context or []]
        return "\n\n".join(known) or None

    @property
    def _place(self) -> int | None:
        places = reversed(range(len(self.messages)))
        return next((at for at in places if self.messages[at].role == "user"), None)
