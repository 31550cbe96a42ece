"""A graph that answers in parts, as its question asks. Runs in aegra's own environment."""

import asyncio
from typing import TypedDict

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph

from tests.benchmarks.parts import parts_of


class State(TypedDict):
    """What was asked, and what is answered."""

    question: str
    answer: str


async def answer(state: State) -> State:
    """Say one part after the other, beside others' answers; no model of messages is in between."""
    write, parts = get_stream_writer(), parts_of(state["question"])
    for part in parts:
        write(part)
        await asyncio.sleep(0)
    return {**state, "answer": "".join(parts)}


graph = (
    StateGraph(State)
    .add_node("answer", answer)
    .add_edge(START, "answer")
    .add_edge("answer", END)
    .compile()
)
