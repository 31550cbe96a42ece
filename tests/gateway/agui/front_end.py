"""What a front-end makes of the events of a run: as the protocol wants it, and the client does."""

from collections.abc import Iterable
from typing import Any

from ag_ui.core import Event
from ag_ui_validate.pytest_plugin import assert_valid_agui
from attrs import define, field
from pydantic import TypeAdapter

from tests.users import Json

_event: TypeAdapter[Any] = TypeAdapter(Event)


def check_run(events: list[Json]) -> None:
    """Fails unless they are a whole run that two judges find valid."""
    assert_valid_agui(events, max_warnings=0)
    for event in events:
        assert _event.validate_python(event).model_extra == {}
        assert None not in event.values()


@define
class FrontEnd:
    """A front-end's messages: texts by their ids, and calls with what came of them."""

    texts: dict[str, str] = field(factory=dict)
    roles: dict[str, str] = field(factory=dict)
    calls: dict[str, list[str]] = field(factory=dict)
    ends: list[Json] = field(factory=list)

    def apply(self, events: Iterable[Json]) -> None:
        """Take what is told: contents are appended to what is there."""
        for event in events:
            match event:
                case {"type": "TEXT_MESSAGE_START" | "REASONING_MESSAGE_START", "messageId": id_}:
                    self.roles[id_] = event["role"]
                    self.texts.setdefault(id_, "")
                case {"type": "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT"}:
                    self.texts[event["messageId"]] += event["delta"]
                case {"type": "TOOL_CALL_START"}:
                    self.calls.setdefault(event["toolCallId"], [event["toolCallName"], ""])
                case {"type": "TOOL_CALL_ARGS"}:
                    self.calls[event["toolCallId"]][1] += event["delta"]
                case {"type": "TOOL_CALL_RESULT"}:
                    self.calls[event["toolCallId"]].append(event["content"])
                case {"type": "RUN_FINISHED" | "RUN_ERROR"}:
                    self.ends.append(event)

    @property
    def answers(self) -> list[str]:
        """The texts of the assistant, as they began."""
        return [text for id_, text in self.texts.items() if self.roles[id_] == "assistant"]

    @property
    def reasoning(self) -> list[str]:
        """What else was said."""
        return [text for id_, text in self.texts.items() if self.roles[id_] == "reasoning"]

    @property
    def messages(self) -> list[Json]:
        """All of it, as it is sent with the next run."""
        told: list[Json] = [
            {"id": id_, "role": self.roles[id_], "content": text}
            for id_, text in self.texts.items()
        ]
        for id_, (name, arguments, *results) in self.calls.items():
            function = {"name": name, "arguments": arguments}
            call = {"id": id_, "type": "function", "function": function}
            told.append({"id": f"of {id_}", "role": "assistant", "toolCalls": [call]})
            told += [
                {"id": f"to {id_}", "role": "tool", "toolCallId": id_, "content": result}
                for result in results
            ]
        return told
