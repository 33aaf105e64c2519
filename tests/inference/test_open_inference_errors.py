"""What the Open Inference Protocol is refused, told to NVIDIA's client over a real socket."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.inference.triton import Ask, Client, ServerSaidError
from tests.tiny_models import pictures


@pytest.mark.parametrize(
    ("ask", "status", "sentence"),
    [
        (
            Ask("oracle", pictures(1)),
            "NOT_FOUND",
            "there are segmenter 1, classifier 1; oracle was asked for",
        ),
        (
            Ask("classifier", pictures(1), options={"model_version": "7"}),
            "NOT_FOUND",
            "there are segmenter 1, classifier 1; classifier 7 was asked for",
        ),
        (
            Ask("classifier", pictures(1), name="picture"),
            "INVALID_ARGUMENT",
            "the model takes one input, image; picture came",
        ),
        (
            Ask("classifier", pictures(1).astype(np.float32), datatype="FP32"),
            "INVALID_ARGUMENT",
            "input image is UINT8; FP32 came",
        ),
        (
            Ask("classifier", pictures(1)[:, :32]),
            "INVALID_ARGUMENT",
            "input image has the shape [-1, 64, 64, 3] with 1 to 8 rows; [1, 32, 64, 3] came",
        ),
        (
            Ask("classifier", pictures(1)[0]),
            "INVALID_ARGUMENT",
            "input image has the shape [-1, 64, 64, 3] with 1 to 8 rows; [64, 64, 3] came",
        ),
        (
            Ask("classifier", pictures(9)),
            "INVALID_ARGUMENT",
            "input image has the shape [-1, 64, 64, 3] with 1 to 8 rows; [9, 64, 64, 3] came",
        ),
        (
            Ask("classifier", pictures(0)),
            "INVALID_ARGUMENT",
            "input image has the shape [-1, 64, 64, 3] with 1 to 8 rows; [0, 64, 64, 3] came",
        ),
        (
            Ask("segmenter", pictures(1), outputs=["outline"]),
            "INVALID_ARGUMENT",
            "the model has the outputs mask; the request asks for outline",
        ),
        (
            Ask("segmenter", pictures(1), outputs=["mask", "mask"]),
            "INVALID_ARGUMENT",
            "the model has the outputs mask; the request asks for mask, mask",
        ),
        (
            Ask("classifier", pictures(1), outputs=["probabilities"], classes=3),
            "INVALID_ARGUMENT",
            "this service does not speak the classification extension",
        ),
        (
            Ask("classifier", pictures(1), options={"sequence_id": 5, "sequence_start": True}),
            "INVALID_ARGUMENT",
            "this service does not speak sequences",
        ),
        (
            Ask("classifier", pictures(1), options={"priority": 3}),
            "INVALID_ARGUMENT",
            "parameter priority is 1 for interactive or 2 for bulk; 3 came",
        ),
        (
            Ask("classifier", pictures(1), options={"timeout": -5}),
            "INVALID_ARGUMENT",
            "parameter timeout is a number of microseconds, or 0 for none; -5 came",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_wrong_is_said_in_a_sentence(
    client: Client, ask: Ask, status: str, sentence: str
) -> None:
    with pytest.raises(ServerSaidError) as said:
        await client.infer(ask)
    assert said.value.status == f"StatusCode.{status}"
    assert said.value.sentence.startswith(sentence)
    assert (await client.infer(Ask("classifier", pictures(1)))).model_version == "1"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get_system_shared_memory_status", ()),
        ("register_system_shared_memory", ("name", "key", 1)),
        ("load_model", ("classifier",)),
        ("unload_model", ("classifier",)),
        ("get_model_repository_index", ()),
        ("get_trace_settings", ()),
        ("update_log_settings", ({"log_info": True},)),
    ],
)
async def test_extensions_that_are_not_spoken_are_not_there(
    client: Client, method: str, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(ServerSaidError) as said:
        await client.say(method, *arguments)
    assert said.value.status == "StatusCode.UNIMPLEMENTED"
