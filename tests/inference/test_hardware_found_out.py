"""The service finds out by itself whether batches pay: with real runs of real ONNX files."""

import asyncio
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from prometheus_client import CollectorRegistry

from services.inference.metrics import Metrics
from services.inference.onnx_model import OnnxModel
from services.inference.runners import Runners
from services.inference.stage import ModelStage
from tests import tiny_models

CALLERS = 16


async def batch_sizes(model: OnnxModel, runners: int, rows_each: int) -> list[int]:
    """Let callers ask one picture after the other, and return the batches of the second half."""
    picture = np.zeros((tiny_models.SIZE, tiny_models.SIZE, 3), np.uint8)
    sizes: list[int] = []
    with ThreadPoolExecutor(runners) as threads:
        metrics = Metrics(CollectorRegistry())
        stage = ModelStage(model, Runners(runners), threads, metrics, max_batch_size=8)
        stage.warm_up()

        async def ask() -> None:
            for _ in range(rows_each):
                answer = await stage.submit(picture)
                sizes.append(answer.batch_size)

        await asyncio.gather(*(ask() for _ in range(CALLERS)))
        await stage.close()
    return sizes[len(sizes) // 2 :]


@pytest.mark.parametrize(
    ("file", "runners", "rows_each", "least", "most"),
    [(tiny_models.heavy_segmenter(), 2, 12, 1, 2.5), (tiny_models.slow_segmenter(), 1, 12, 5, 8)],
    ids=["rows dominate the cost", "runs dominate the cost"],
)
async def test_pictures_run_side_by_side_where_rows_cost_and_in_full_batches_where_runs_do(
    tmp_path: Path, file: onnx.ModelProto, runners: int, rows_each: int, least: int, most: float
) -> None:
    tiny_models.publish(file, tmp_path / "1")
    model = OnnxModel.load(tmp_path / "1", "segmenter")
    means: list[float] = []
    # Other work on the machine blurs what is measured, so the best of some tries counts.
    while not any(least <= mean <= most for mean in means):
        assert len(means) < 5, means
        means.append(statistics.mean(await batch_sizes(model, runners, rows_each)))
