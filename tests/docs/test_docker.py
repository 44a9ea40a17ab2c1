"""The image is built from what there is, and what it starts exists."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from testamur.config import NodeSettings, load_settings
from tests.support.documents import ROOT, commands_in, page, what_does_not_exist

DOCKERFILE: Final = page("docker/Dockerfile").replace("\\\n", " ")
COMPOSE: Final = page("docker/compose.yaml")
GUIDE: Final = page("docker/README.md")
IGNORED: Final = page("docker/Dockerfile.dockerignore").splitlines()
HOME: Final = "/opt/testamur/"


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.MULTILINE)


def copied() -> list[str]:
    words = [shlex.split(line) for line in instructions("COPY")]
    return [path for line in words if not line[0].startswith("--from") for path in line[:-1]]


def services() -> dict[str, list[str]]:
    """Read the part of YAML that the file keeps to: a service by two blanks, a command as JSON."""
    body = COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0]
    named = re.findall(r"^  (\w+):\n((?:(?:    .*)?\n)*)", body + "\n", re.MULTILINE)
    found = {
        name: re.findall(r"^    command: (\[.+\])$", text, re.MULTILINE) for name, text in named
    }
    return {name: json.loads(command) for name, (command,) in found.items()}


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_exists_and_is_not_ignored(path: str) -> None:
    assert (ROOT / path).exists()
    allowed = [line[1:] for line in IGNORED if line.startswith("!")]
    assert IGNORED[1] == "*"
    assert any(f"{kept}/".startswith(f"{path}/") for kept in allowed)


def test_what_is_let_into_the_build_exists() -> None:
    for line in IGNORED:
        assert not line.startswith("!") or (ROOT / line[1:]).exists()


def test_what_hatchling_needs_is_copied() -> None:
    assert {"pyproject.toml", "README.md", "LICENSE", "node"} <= set(copied())


def test_dependencies_are_installed_by_their_hashes_and_nothing_else_is_fetched() -> None:
    runs = [line for line in instructions("RUN") if "pip install" in line]
    assert len(runs) == 2
    assert "--require-hashes" in runs[0]
    assert {"--no-deps", "--no-build-isolation"} <= set(runs[1].split())


def test_it_does_not_run_as_root() -> None:
    (user,) = instructions("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert instructions("VOLUME") == ["/data"]


def test_no_setting_of_the_node_is_in_the_environment_of_the_image() -> None:
    # It would override the settings file of whoever uses the image, and those of the demo.
    assert not [line for line in instructions("ENV") if "TESTAMUR_" in line]


def test_what_the_image_starts_exists() -> None:
    assert instructions("ENTRYPOINT") == ['["testamur"]']
    words = json.loads(instructions("CMD")[-1])
    assert what_does_not_exist(words) == []
    assert (ROOT / "docker" / Path(words[-1]).name).is_file()


def test_the_settings_of_the_image_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in re.findall(r"^    (TESTAMUR_\w+=.+)$", GUIDE, re.MULTILINE):
        monkeypatch.setenv(*line.split("=", 1))
    settings = load_settings(ROOT / "docker" / "node.toml")
    assert settings.data_dir == Path("/data")
    assert instructions("EXPOSE") == [str(settings.port)]
    assert settings.host == "0.0.0.0"  # noqa: S104 - in a container


def test_the_guide_names_settings_and_commands_that_exist() -> None:
    for name in re.findall(r"TESTAMUR_(\w+)=", GUIDE):
        assert name.lower() in NodeSettings.model_fields
    shown = re.findall(r"testamur:local (\w.*?)`?[.]?$", GUIDE, re.MULTILINE)
    assert shown
    for words in commands_in("\n".join(f"testamur {one}" for one in shown)):
        assert what_does_not_exist(words) == []


def test_every_service_runs_a_command_that_exists_and_comes_from_the_dockerfile() -> None:
    found = services()
    assert set(found) == {"devchain", "demo"}
    for words in found.values():
        assert what_does_not_exist(words) == []
    (context,) = re.findall(r"^    context: (.+)$", COMPOSE, re.MULTILINE)
    (dockerfile,) = re.findall(r"^    dockerfile: (.+)$", COMPOSE, re.MULTILINE)
    assert (ROOT / "docker" / context / dockerfile).is_file()
    assert COMPOSE.count("<<: *testamur") == len(found)


def test_the_demo_finds_its_samples_in_the_image() -> None:
    (place,) = [word for word in services()["demo"] if word.startswith(HOME)]
    assert ["examples", f"{HOME}examples"] in [shlex.split(line) for line in instructions("COPY")]
    assert (ROOT / place.removeprefix(HOME)).is_dir()


def test_a_node_that_lives_is_healthy_and_one_that_fails_is_not() -> None:
    with node_answering(200) as port:
        assert healthcheck(port) == 0
    with node_answering(500) as port:
        assert healthcheck(port) == 1
    assert healthcheck(port) == 1  # nobody listens there any more


def healthcheck(port: int) -> int:
    script = ROOT / "docker" / "healthcheck.py"
    environment = {"TESTAMUR_PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, str(script)], env=environment, check=False)
    return done.returncode


@contextmanager
def node_answering(status: int) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
