"""Pictures as browsers have them, and what tests of the page that sends them do there."""

import json
from typing import Any

from playwright.sync_api import FilePayload, Locator, expect

from tests import specimens
from tests.pages.conftest import Person

HOSTILE = '<img src=x onerror="alert(1)"> \u202eمريض\u202c'


def picture(content: bytes | None = None, name: str = "lesion.jpg") -> FilePayload:
    """A picture as a file chooser has it."""
    return {
        "name": name,
        "mimeType": "image/png" if name.endswith("png") else "image/jpeg",
        "buffer": specimens.lesion_jpeg() if content is None else content,
    }


def pictures(count: int) -> list[FilePayload]:
    """Several different ones."""
    return [
        picture(specimens.lesion_jpeg((96, 96), seed=seed), f"lesion {seed}.jpg")
        for seed in range(1, count + 1)
    ]


def analyses(somebody: Person) -> list[dict[str, Any]]:
    """What is in somebody's history."""
    items: list[dict[str, Any]] = somebody.api("GET", "/v1/analyses").json()["items"]
    return items


def looked_at(somebody: Person) -> None:
    """See that no chosen picture is still being looked at: none of them can be sent before."""
    expect(somebody.page.locator("#list > li[data-state=checking]")).to_have_count(0)


def send(somebody: Person) -> None:
    """Press the button, once there is something to send."""
    looked_at(somebody)
    somebody.page.locator("#send").click()


def row(somebody: Person, name: str) -> Locator:
    """The row of a picture in the list."""
    return somebody.page.locator("#list > li").filter(has_text=name)


def choose(somebody: Person, *chosen: FilePayload) -> None:
    """Choose files, as in the browser's own window."""
    somebody.page.locator("#image").set_input_files(list(chosen))


def hand_over(somebody: Person, event: str, *given: FilePayload) -> None:
    """Drop files on the page, or paste them: browsers build such events of a DataTransfer."""
    files = [(each["name"], each["mimeType"], list(each["buffer"])) for each in given]
    somebody.page.evaluate(
        """([event, files]) => {
            const transfer = new DataTransfer();
            for (const [name, type, bytes] of files) {
                transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
            }
            const options = { bubbles: true, cancelable: true };
            const target = document.getElementById("drop");
            target.dispatchEvent(event === "drop"
                ? new DragEvent("drop", { ...options, dataTransfer: transfer })
                : new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
        }""",
        [event, json.loads(json.dumps(files))],
    )
