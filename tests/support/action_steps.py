"""action.yml, and its shell steps run as GitHub's runner runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from support.command_line import SECONDS, environment

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
# As the runner starts `shell: bash`.
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
# Stands for a Python that makes a virtual environment with pip: notes how it is called, and
# gives the suite of this checkout.
_PYTHON = """\
#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$@" > "{folder}/pip"\\n' > "$3/bin/pip"
printf '#!/bin/sh\\nexec {python} -m toolbridge_harness "$@"\\n' > "$3/bin/toolbridge"
chmod +x "$3/bin/pip" "$3/bin/toolbridge"
"""


def step(name: str) -> dict[str, Any]:
    """Return the step of that name."""
    (found,) = [one for one in STEPS if one["name"] == name]
    return found


class Runner:
    """A job's folder, in which shell steps are run with inputs."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        self.folder = folder
        self.python = folder / "python"
        self.python.write_text(_PYTHON.format(folder=folder, python=sys.executable))
        self.python.chmod(0o755)
        given = {"python": str(self.python)} | {k.replace("_", "-"): v for k, v in inputs.items()}
        self.values = {f"inputs.{k}": v["default"] for k, v in ACTION["inputs"].items()}
        self.values |= {f"inputs.{k}": v for k, v in given.items()}
        self.values["github.action_path"] = str(ROOT)
        self.summary, self.output = folder / "summary.md", folder / "output"
        for file in (self.summary, self.output):
            file.touch()

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a step's script to its end."""
        declared = step(name)
        script = self.folder / "script.sh"
        script.write_text(declared["run"])
        settings = {key: self._filled(value) for key, value in declared["env"].items()}
        settings |= {
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "PATH": os.environ["PATH"],
        }
        return subprocess.run(
            [*BASH, str(script)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=self.folder,
            env=environment(**settings),
            stdin=subprocess.DEVNULL,
        )

    def _filled(self, value: str) -> str:
        return EXPRESSION.sub(lambda found: self._value(found[1]), value)

    def _value(self, expression: str) -> str:
        """Return what `a || b` is: the first that is not empty."""
        values = [self.values.get(name, "") for name in expression.split(" || ")]
        return next(filter(None, values), "")
