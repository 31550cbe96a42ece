"""Replays an area of the recordings against a gateway and says what was answered otherwise."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import reduce

import attrs
import httpx2
from attrs import define, field

from tests.contract.binding import Binding
from tests.contract.cases import Answer, Call, Case
from tests.contract.differences import Difference
from tests.contract.sending import send

HEADERS = {
    "content-type",
    "www-authenticate",
    "location",
    "accept-ranges",
    "content-range",
    "content-disposition",
}
PRESENT = {"last-modified", "etag", "vary", "content-length"}

type Event = Callable[[], Awaitable[None]]
type Send = Callable[[Call], Awaitable[Answer]]


@define
class Replay:
    """The state of an area's replay: what was wrong, by case, and what really differs."""

    http: httpx2.AsyncClient
    binding: Binding
    differences: Sequence[Difference] = ()
    faults: dict[str, list[str]] = field(factory=dict)
    needed: set[str] = field(factory=set)

    async def run(self, cases: Sequence[Case], events: Mapping[str, Event]) -> None:
        """Send every case in order; before some of them something happens elsewhere."""
        for case in cases:
            if case.name in events:
                await events[case.name]()
            await self.play(case)

    async def play(self, case: Case, send_on: Send | None = None) -> None:
        """Send one call and note what was wrong; over HTTP unless another way is given."""
        call = Call(case.call.method, *map(self.binding.fill, attrs.astuple(case.call)[1:]))
        ours = await (send_on(call) if send_on else send(self.http, call))
        self.faults[case.name] = [*self._judge(case, ours)]

    def _judge(self, case: Case, ours: Answer) -> Iterator[str]:
        """What differs from the recording as it ought to be; and each difference has to be one."""
        reasons = [each for each in self.differences if each.applies(case)]
        wanted = _change(case, reasons)
        for each in reasons:
            without = _change(case, [other for other in reasons if other is not each])
            if without == wanted:
                continue  # another one says all of the answer
            self.needed.add(each.because)
            if not [*compare(self.binding.copy(), without, ours)]:
                yield f"answered as recorded, no need for: {each.because}"
        yield from compare(self.binding, wanted, ours)


def _change(case: Case, differences: Sequence[Difference]) -> Answer:
    return reduce(lambda answer, each: each.change(answer), differences, case.answer)


def compare(binding: Binding, recorded: Answer, ours: Answer) -> Iterator[str]:
    """What differs in status, headers and body."""
    if recorded.status != ours.status:
        yield f"status {ours.status} in place of {recorded.status}: {ours.body}"
        return
    yield from _compare_headers(binding, recorded, ours)
    yield from binding.compare(recorded.body, ours.body)


def _compare_headers(binding: Binding, recorded: Answer, ours: Answer) -> Iterator[str]:
    for name in sorted(HEADERS | {n for n in recorded.headers if n.startswith("access-control-")}):
        then, now = recorded.headers.get(name), ours.headers.get(name)
        if (then is None) != (now is None):
            yield f"{name}: {now!r} in place of {then!r}"
        elif then is not None:
            yield from binding.compare(then, now, name)
    for name in PRESENT & recorded.headers.keys():
        if name not in ours.headers:
            yield f"without {name}"
    allowed = [{*answer.headers.get("allow", "").split(", ")} for answer in (recorded, ours)]
    if not allowed[0] <= allowed[1]:
        yield f"allow: {allowed[1]} in place of {allowed[0]}"
