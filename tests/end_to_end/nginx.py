"""nginx with the site that the documentation shows, in front of one gateway."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from devstack.processes import HOST, free_port, start_child, stopping, wait_until_ready
from tests.end_to_end.proxy import find_program, listens
from tests.system import PROJECT

SITE = PROJECT / "devstack" / "nginx.conf"
AROUND = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
{site}
}}
"""


@contextmanager
def run_nginx(folder: Path, gateway: str) -> Iterator[str]:
    """The URL of an nginx with its files in the folder; the gateway is under `/genai` there."""
    port = free_port()
    site = SITE.read_text().replace("listen 8080;", f"listen {HOST}:{port};")
    site = site.replace("gateway:8000", urlsplit(gateway).netloc)
    (folder / "nginx.conf").write_text(AROUND.format(site=site))
    command: list[str | Path] = [
        find_program("nginx"),
        "-p",
        folder,
        "-c",
        "nginx.conf",
        "-e",
        "stderr",
    ]
    log = folder / "nginx.log"
    child = start_child("nginx", command, log, environment=dict(os.environ), folder=folder)
    with stopping(child):
        wait_until_ready(child, lambda: listens(port))
        yield f"http://{HOST}:{port}"
