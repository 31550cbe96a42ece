"""README and docs say what is so."""

import re
from pathlib import Path

import attrs
from prometheus_client.metrics import MetricWrapperBase

import agent_bridge.metrics
import gateway.web.metrics
import shared.telemetry.metrics
from shared.settings.installation import Settings

PROJECT = Path(__file__).parent.parent
PAGES = {
    path: path.read_text()
    for path in (PROJECT / "README.md", *PROJECT.glob("[CS]*.md"), *PROJECT.glob("docs/**/*.md"))
}
README = "\n".join(PAGES.values())
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|none|not set) \|", re.MULTILINE)


def _written(default: object) -> str:
    match default:
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case tuple():
            return ",".join(default)
        case None | attrs.NOTHING:
            return ""
    return str(default)


def test_the_configuration_table_holds_every_variable_with_its_default() -> None:
    expected = {field.name.upper(): _written(field.default) for field in attrs.fields(Settings)}
    assert dict(ROW.findall(README)) == expected


def test_the_table_of_metrics_holds_each_that_the_services_have() -> None:
    modules = (shared.telemetry.metrics, gateway.web.metrics, agent_bridge.metrics)
    metrics = [each for module in modules for each in vars(module).values()]
    families = [
        family
        for metric in metrics
        if isinstance(metric, MetricWrapperBase) and not metric._labelvalues
        for family in metric.describe()
    ]
    names = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `genai_")]
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == names


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:gateway|agent_bridge|shared|devstack|docs)/[\w/.]*)`", README)
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_every_link_leads_somewhere() -> None:
    links = [
        (path.name, target)
        for path, text in PAGES.items()
        for target, _ in LINK.findall(text)
        if target and not (path.parent / target).exists()
    ]
    assert links == []


def test_every_page_is_linked_from_the_readme() -> None:
    readme = PAGES[PROJECT / "README.md"]
    pages = {str(path.relative_to(PROJECT)) for path in PAGES} - {"README.md", "docs/README.md"}
    assert {page for page in pages if f"]({page})" not in readme} == set()


def test_the_readme_is_short() -> None:
    assert len(PAGES[PROJECT / "README.md"].splitlines()) <= 150
