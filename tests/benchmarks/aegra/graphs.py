"""A graph that answers in parts, as its question asks, and the smallest one, which echoes.

Runs in aegra's own environment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypedDict

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from tests.benchmarks.parts import parts_of


class State(TypedDict):
    """What was asked, and what is answered."""

    question: str
    answer: str


async def answer_in_parts(state: State) -> State:
    """Say one part after the other, beside others' answers; no model of messages is in between."""
    write, parts = get_stream_writer(), parts_of(state["question"])
    for part in parts:
        write(part)
        await asyncio.sleep(0)
    return {**state, "answer": "".join(parts)}


async def repeat(state: State) -> State:
    """Answer what was asked."""
    return {**state, "answer": state["question"]}


def _graph(node: Callable[[State], Awaitable[State]]) -> CompiledStateGraph:
    graph = StateGraph(State).add_node("answer", node)
    return graph.add_edge(START, "answer").add_edge("answer", END).compile()


parts, echo = _graph(answer_in_parts), _graph(repeat)
