"""What one has brought along from elsewhere."""

import asyncio
from tempfile import TemporaryFile

from gateway.audit.acting import acting, actor_of
from gateway.audit.actions import Action
from gateway.audit.noting import audit
from gateway.leaving.alone import alone
from gateway.leaving.bounds import open_archive
from gateway.leaving.files_taking import FilesTaking
from gateway.leaving.importing import ImportCall, Importing
from gateway.leaving.receiving import receive
from gateway.leaving.report import BroughtAlong, Report
from gateway.leaving.taking import STAYS, TAKINGS, Import
from gateway.web.operation import Operation


async def create_import(call: ImportCall) -> Report:
    """Take in what an export has made, here or elsewhere.

    All gets new ids. Agents are inactive and have new tokens, providers have no keys. Of each kind
    all is taken that can be, or nothing; what was left out is told with the reason.
    """
    most = call.state["settings"].max_import_bytes
    turns = call.state["turns"]
    async with alone(call, "import") as keep, turns.with_import():
        with TemporaryFile() as file:
            await receive(call.request, file, most, keep)
            archive = await asyncio.to_thread(open_archive, file, most)
            async with acting(call) as connection:
                seals = await call.state["sealing"].has_begun(connection)
            of = Import(call.user_id, call.state["settings"].secret_key, seals)
            importing = Importing(call, archive, of, keep)
            await importing.check_manifest()
            taken = [await importing.take(taking) for taking in TAKINGS]
            taken.append(await FilesTaking(importing).take())
        report = Report([each for each in taken if each is not None], dict(STAYS))
        async with acting(call) as connection:
            action, counts = Action.USER_IMPORTED, {each.kind: each.taken for each in report.kinds}
            await audit(
                connection,
                actor_of(call),
                action,
                object_id=call.user_id,
                owner_id=call.user_id,
                details={"taken": counts},
            )
    return report


operations = [
    Operation(
        method="POST",
        path="/api/me/import",
        handler=create_import,
        body=BroughtAlong,
        body_format="multipart",
        result=Report,
        bounded=True,
        stores=True,
        lends=False,
    ),
]
