"""The house itself: layers, names, sizes, what is shipped, and how little an import costs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import quotalab

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("quotalab", "experiments", "optimize", "history", "sim", "scenarios")
MOST_LINES = 350
HEAVY = ("numpy", "pandas", "scipy", "numba", "matplotlib", "pulp", "highspy", "simpy", "pyarrow", "joblib")
COMMAND_LINE = ("typer", "click", "rich", "shellingham", "annotated_doc", "colorama")
"""The library of the command line, and what it loads."""
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".csv", ".html", ".cfg", ""}


def modules() -> Iterator[Path]:
    for package in (*PACKAGES, "benchmarks"):
        yield from sorted((ROOT / package).rglob("*.py"))


def sources() -> Iterator[Path]:
    """Every text file of the project, without what tools leave behind."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        left_behind = {"runs", "site", "dist", "__pycache__"} & set(inside)
        hidden = inside[0].startswith(".") and inside[0] not in (".ci", ".pre-commit-config.yaml", ".gitignore")
        if path.is_file() and path.suffix in TEXT and not left_behind and not hidden:
            yield path


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# ---- what is shipped -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_holds_the_six_packages_and_nothing_else(wheel: list[str]) -> None:
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == set(PACKAGES)


def test_the_wheel_holds_every_module_and_all_data(wheel: list[str]) -> None:
    wanted = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert set(wanted) <= set(wheel)
    for package in PACKAGES:
        assert f"{package}/py.typed" in wheel
    assert "scenarios/library/starter/scenario.yaml" in wheel
    assert "experiments/templates/report.html" in wheel


def test_the_command_is_installed() -> None:
    scripts = project()["project"]["scripts"]  # type: ignore[index]
    assert scripts == {"quotalab": "quotalab.cli:main"}


# ---- names, sizes, layers --------------------------------------------------------------------------------------------


def test_every_exported_name_exists() -> None:
    assert sorted(quotalab.__all__) == quotalab.__all__
    for name in quotalab.__all__:
        assert getattr(quotalab, name) is not None, name
    assert set(quotalab.__all__) <= set(dir(quotalab))


def test_lazy_names_are_the_ones_that_type_checkers_see() -> None:
    text = (ROOT / "quotalab" / "__init__.py").read_text(encoding="utf-8")
    block = text[text.index("if TYPE_CHECKING:") : text.index("_HOMES")]
    seen = set(re.findall(r"^    from \S+ import (.+)$", block, re.MULTILINE))
    names = {name.split(" as ")[-1].strip() for line in seen for name in line.split(",")} | {"__version__"}
    assert names == set(quotalab.__all__)


def test_no_module_hides_an_exported_name() -> None:
    # Importing a module binds it in its package, in the place of a lazy name that is called the same.
    inside = {path.stem for path in (ROOT / "quotalab").iterdir() if path.suffix in (".py", "")}
    assert inside & set(quotalab.__all__) == set()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'improvize'"):
        quotalab.improvize  # noqa: B018


def test_modules_fit_in_one_sitting() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): count
        for path in modules()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_modules_say_what_they_are() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if not path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_tests_lie_flat() -> None:
    assert [path for path in (ROOT / "tests").rglob("*.py") if path.parent != ROOT / "tests"] == []
    assert not (ROOT / "tests" / "__init__.py").exists()


def test_layers_are_declared_and_checked_by_the_test_command() -> None:
    (contract,) = project()["tool"]["importlinter"]["contracts"]  # type: ignore[index]
    assert contract["type"] == "layers"
    assert contract["layers"] == ["quotalab", "experiments", "optimize | history", "sim", "scenarios"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test: lint types layers unit$", makefile, re.MULTILINE)
    assert "lint-imports" in makefile
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for target in ("demo", "test", "bench", "validate", "docs"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_only_the_estimator_of_responses_reads_the_simulator() -> None:
    importing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "optimize").rglob("*.py")
        if re.search(r"^\s*(from|import) sim\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    strangers = {path for path in importing if not re.match(r"optimize/(response/\w+|chain|loop/\w+)\.py", path)}
    assert strangers == set()


# ---- nothing of one machine ------------------------------------------------------------------------------------------


def test_constraints_name_versions_only() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[0-9a-z.+!]+( ; .+)?", line), line


def test_every_requirement_is_pinned() -> None:
    pinned = {
        line.split("==")[0] for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line
    }
    told = project()["project"]
    wanted = [*told["dependencies"], *told["optional-dependencies"]["dev"]]  # type: ignore[index]
    names = {re.split(r"[<>=!~ ]", text)[0].lower() for text in wanted}
    assert names <= pinned


def test_no_path_or_address_of_one_machine() -> None:
    machine = re.compile(r"(?<![\w.:/])/(?:home|root|work|Users|opt)/\w|\bC:\\|localhost:\d|file://|127\.0\.0\.1")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in sources()
        if path != Path(__file__).resolve()
        for match in machine.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


# ---- lightness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["import quotalab", "from quotalab.cli.main import run; run(['--help'])"])
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    script = f"{code}\nimport sys\nsys.stderr.write(' '.join(sorted(set({HEAVY!r}) & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_help_loads_only_the_command_line() -> None:
    """What is loaded decides how fast help answers; the machine's load does not count."""
    script = (
        "import sys\nbefore = set(sys.modules)\nfrom quotalab.cli.main import run\nrun(['--help'])\n"
        "loaded = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "sys.stderr.write(' '.join(loaded - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"quotalab"} < set(done.stderr.split()) <= {"quotalab", "scenarios", *COMMAND_LINE}


# ---- documentation ---------------------------------------------------------------------------------------------------


def nav_pages(node: object) -> Iterator[str]:
    match node:
        case str():
            yield node
        case list():
            for part in node:
                yield from nav_pages(part)
        case dict():
            for part in node.values():
                yield from nav_pages(part)


def test_every_page_is_in_the_menu() -> None:
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert set(nav_pages(menu)) == pages


@pytest.mark.parametrize("page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
            broken.append(target)
    assert broken == []
