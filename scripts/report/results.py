"""Results on disk: what the commands printed with --json, and recordings of scripts.cosim."""
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.shared import recording
from scripts.shared.checkout import ROOT
from scripts.shared.options import UserError
from scripts.shared.recording import Recording

STORED_BENCH = ROOT / "docs" / "bench.json"


@dataclass(frozen=True)
class Made:
    """Where a result comes from."""

    file: str
    command: str
    date: str
    commit: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """What a command printed with --json."""

    by: str         # the module that was run
    made: Made
    fields: dict[str, Any]


@dataclass(frozen=True)
class RunFile:
    """A recording of scripts.cosim."""

    made: Made
    run: Recording

    @property
    def name(self) -> str:
        """The run in a few words."""
        told = self.run.summary
        stalls = "" if "beats" in told else ", stalled at random"
        return (f"{told['cycles_per_frame']:,} cycles a frame, {told['precision']}, alpha "
                f"{told['alpha']:g}, {told['resolution']} × {told['resolution']}{stalls}")


@dataclass(frozen=True)
class Results:
    """All results of a folder."""

    folder: Path
    runs: tuple[RunFile, ...]           # the reference rate first, then from the fastest
    documents: tuple[Document, ...]     # the newest first
    unread: tuple[tuple[str, str], ...]     # (file, why it is not read)

    def of(self, command: str) -> list[Document]:
        """Documents of one command, the newest first."""
        return [document for document in self.documents if document.by == command]


def made_of(file: Path, fields: Mapping[str, Any]) -> Made:
    """Where a document comes from; ValueError where the document does not say."""
    made = fields.get("made") or {}
    if not made.get("by"):
        raise ValueError("does not say which command made it")
    return Made(file.name, made["command"], made["date"], made["commit"] or "none",
                made["versions"])


def read(folder: Path) -> Results:
    """The Results of a folder; files that are no results are named in ``unread``.

    Raises UserError where the folder is not there.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder of results {folder}: add --run, which makes the "
                        "folder and its results, or name another folder with --results")
    runs, documents, unread = [], [], []
    for file in sorted(path for path in folder.iterdir() if path.suffix in (".json", ".h5")):
        try:
            if file.suffix == ".h5":
                run = recording.read(file)
                runs.append(RunFile(made_of(file, run.summary), run))
            else:
                documents.append(document(file))
        except (UserError, OSError, ValueError, KeyError, AttributeError) as error:
            unread.append((file.name, str(error)))
    documents.sort(key=lambda each: each.made.date, reverse=True)
    if not any(each.by == "scripts.bench" for each in documents) and STORED_BENCH.is_file():
        documents.append(stored_bench())
    return Results(folder, tuple(sorted(runs, key=place)), tuple(documents), tuple(unread))


def place(file: RunFile) -> tuple[bool, int, str]:
    """Where a run stands among others: those of a pixel per clock first, then the fastest."""
    told = file.run.summary
    cycles = told["cycles_per_frame"]
    return cycles != told["resolution"] ** 2, cycles, file.made.file


def document(file: Path) -> Document:
    """The Document in a file; ValueError where the file is none."""
    fields = json.loads(file.read_text(encoding="utf-8"))
    return Document(fields["made"]["by"], made_of(file, fields), fields)


def stored_bench() -> Document:
    """The benchmark that stands in the documentation of this checkout."""
    fields = json.loads(STORED_BENCH.read_text(encoding="utf-8"))
    newest = max(fields["sections"].values(), key=lambda section: section["date"])
    made = fields.get("made") or {"command": "python -m scripts.bench", "commit": None}
    return Document("scripts.bench", Made(
        "docs/bench.json", made["command"], newest["date"], made["commit"] or "not recorded",
        newest["versions"]), fields)
