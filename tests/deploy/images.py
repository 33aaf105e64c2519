"""What deploy/Dockerfile says of each image, read from the file itself."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DOCKERFILE = CHECKOUT / "deploy" / "Dockerfile"
IGNORE = CHECKOUT / "deploy" / "Dockerfile.dockerignore"
SERVICES = ("gateway", "inference", "reports")


@dataclass
class Stage:
    """One stage of the file, with what it takes over from the stage that it begins from."""

    parent: str
    instructions: list[tuple[str, str]]
    inherited: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        """Return the arguments of every use of an instruction, oldest first."""
        both = [*self.inherited, *self.instructions]
        return [arguments for name, arguments in both if name == instruction]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a process in the image begins with."""
        pairs = (re.findall(r"(\w+)=(\S+)", arguments) for arguments in self.all("ENV"))
        return {name: value for found in pairs for name, value in found}

    @property
    def command(self) -> list[str]:
        """What runs; only the exec form is JSON, so a shell in between is an error here."""
        command: list[str] = json.loads(self.all("CMD")[-1])
        return command

    @property
    def healthcheck(self) -> list[str]:
        """What asks whether it is well."""
        _, _, command = self.all("HEALTHCHECK")[-1].partition(" CMD ")
        words: list[str] = json.loads(command)
        return words

    @property
    def copies(self) -> list[tuple[str, str]]:
        """What is copied from the checkout, and where to."""
        found = []
        for arguments in self.all("COPY"):
            *words, target = arguments.split()
            options = [word for word in words if word.startswith("--")]
            if not any(option.startswith("--from=") for option in options):
                found += [(word, target) for word in words if word not in options]
        return found

    @property
    def ports(self) -> set[int]:
        """What is exposed."""
        return {int(port) for arguments in self.all("EXPOSE") for port in arguments.split()}


def stages() -> dict[str, Stage]:
    """Return the stages by name; the last, nameless one is called ``final``."""
    found: dict[str, Stage] = {}
    current: Stage | None = None
    for name, arguments in instructions():
        if name == "FROM":
            parent, _, alias = arguments.partition(" AS ")
            origin = found.get(parent)
            above = [*origin.inherited, *origin.instructions] if origin else []
            current = found[alias or "final"] = Stage(parent, [], above)
        elif current is not None:
            current.instructions.append((name, arguments))
    return found


def instructions() -> list[tuple[str, str]]:
    """Return every instruction and its arguments, continued lines joined, comments left out."""
    lines = (line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    split = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(name, arguments.strip()) for name, _, arguments in split]
