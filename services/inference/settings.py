"""What operators may set in the inference room."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.certificates import CertificateSettings

Port = Annotated[int, Field(ge=0, le=65535)]
Provider = Literal["auto", "cpu", "openvino", "cuda", "tensorrt"]
Precision = Literal["auto", "fp32", "bf16", "fp16", "int8"]

_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
_CHECKOUT = Path(__file__).resolve().parents[2]


def available_cores() -> int:
    """Return how many cores this process may use.

    That can be fewer than the machine has: by affinity, or by the quota of a container
    (``cpu.max`` of control group v2).
    """
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = _CPU_MAX.read_text().split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no control groups here, or "max": no quota
        return cores


class Settings(CertificateSettings):
    """Environment variables with the prefix ``DERMSERVE_INFERENCE_``."""

    model_config = SettingsConfigDict(
        env_prefix="DERMSERVE_INFERENCE_", frozen=True, env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", description="Interface to listen on.")
    port: Port = Field(8500, description="gRPC port; 0 takes any free one.")
    metrics_port: Port = Field(8501, description="Prometheus port; 0 takes any free one.")
    model_dir: Path = Field(
        _CHECKOUT / "weights" / "models",
        description="Folder of models, one `<name>/<version>/model.onnx` each.",
    )
    model_poll_s: float = Field(
        1,
        ge=0,
        le=3600,
        description="Seconds between looks for changed labels in the model folder; 0 is never.",
    )
    execution_provider: Provider = Field(
        "auto",
        description="What runs the models; `auto` takes the fastest that answers as ONNX Runtime "
        "on the CPU does, and never tries `tensorrt`.",
    )
    precision: Precision = Field(
        "auto",
        description="What the models are computed in; `fp32` is the published models as they are.",
    )
    runners: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Runs that go on at the same time; by default one a core and one more on a "
        "CPU, or fewer with several threads each where that is measured at boot to be better; one "
        "on a GPU.",
    )
    max_batch_size: int = Field(
        8,
        ge=1,
        le=64,
        description="Most pictures in one batch. Where a CPU has more pictures in work than cores, "
        "each is a run of its own.",
    )
    max_queue_delay_s: float = Field(
        0,
        ge=0,
        le=1,
        description="Seconds to hold pictures back for a fuller batch; batches fill without it.",
    )
    max_queue_size: int = Field(
        64, ge=1, le=10_000, description="Pictures that may wait for a model; more are refused."
    )
    hang_s: float = Field(
        60,
        gt=0,
        le=3600,
        description="Seconds after which a run that has not ended counts as hung; the service "
        "then leaves, and ends with status 1.",
    )
    lame_duck_s: float = Field(
        3,
        ge=0,
        le=600,
        description="Seconds after SIGTERM in which health says NOT_SERVING and calls are still "
        "taken, so that balancers notice.",
    )
    drain_s: float = Field(
        20, ge=0, le=600, description="Seconds that running calls may take after that."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        validation_alias="DERMSERVE_LOG_LEVEL",
        description="Least severe log level that is written.",
    )
