"""Whose run it was: the file and the revision of the caller's checkout that a report names."""

import re
from collections.abc import Mapping
from pathlib import Path

from toolbridge_harness.config import CONFIG_FILE
from toolbridge_harness.model import Report

# A finding about a running deployment has no line of code. Code hosts show only findings that
# have a file of the repository, so the first of these that is there stands for the deployment.
STAND_INS = (CONFIG_FILE, "pyproject.toml", "fly.toml", "fly.staging.toml", "README.md")
# GitHub, GitLab, Azure Pipelines, CircleCI, Jenkins.
REVISIONS = ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "CIRCLE_SHA1", "GIT_COMMIT")


def provenance(
    folder: Path, environment: Mapping[str, str], given: Path | None = None
) -> dict[str, str]:
    """Return `file`, as a path from the repository's root, and `revision` when CI names it.

    `given` is a file that the caller named, used where the folder has no toolbridge.toml.
    """
    folder = folder.resolve()
    root = next((p for p in (folder, *folder.parents) if (p / ".git").exists()), folder)
    first, *others = (folder / name for name in STAND_INS)
    candidates = (first, *((folder / given,) if given else ()), *others)
    inside = [path.resolve() for path in candidates if path.is_file()]
    names = [path.relative_to(root).as_posix() for path in inside if path.is_relative_to(root)]
    found = {"file": names[0] if names else CONFIG_FILE}
    revision = next((environment[name] for name in REVISIONS if environment.get(name)), "")
    # Whatever else such a variable holds is not printed.
    return found | ({"revision": revision} if re.fullmatch("[0-9a-f]{7,64}", revision) else {})


def file_of(report: Report) -> str:
    """Return the caller's file that stands for the target."""
    return str(report.extra.get("file", CONFIG_FILE))
