"""What the protocol says of a model: its tensors, how it is set up, what it has done."""

from collections.abc import Iterable

from services.inference.model_statistics import Requests, Total
from services.inference.onnx_model import OnnxModel
from services.inference.open_inference import parameters, tensors
from services.inference.open_inference.catalog import AnyVersion
from services.inference.signature import VARIES, TensorSpec
from services.inference.stage import ModelStage
from services.pb import open_inference_pb2 as pb

PLATFORM = "onnxruntime_onnx"
"""The protocol's name for an ONNX file in ONNX Runtime; Triton uses the same."""

_BACKEND = "onnxruntime"


def metadata(model: OnnxModel, versions: Iterable[AnyVersion]) -> pb.ModelMetadataResponse:
    """Describe the tensors of a model, and name the versions of it that answer."""
    signature = model.signature
    return pb.ModelMetadataResponse(
        name=model.provenance.name,
        versions=[version.stage.model.provenance.version for version in versions],
        platform=PLATFORM,
        inputs=[_tensor(signature.input)],
        outputs=[_tensor(spec) for spec in signature.outputs],
    )


def config(stage: ModelStage, most_rows: int) -> pb.ModelConfig:
    """Describe how a model is set up, in the words of Triton's configuration."""
    provenance, signature = stage.model.provenance, stage.model.signature
    group = pb.ModelInstanceGroup
    said = {
        **stage.model.metadata,
        "sha256": provenance.sha256,
        "execution_provider": provenance.execution_provider,
    }
    return pb.ModelConfig(
        name=provenance.name,
        platform=PLATFORM,
        backend=_BACKEND,
        max_batch_size=most_rows,
        input=[
            pb.ModelInput(
                name=signature.input.name,
                data_type=_data_type(signature.input),
                dims=signature.input.shape,
            )
        ],
        output=[
            pb.ModelOutput(name=spec.name, data_type=_data_type(spec), dims=spec.shape)
            for spec in signature.outputs
        ],
        instance_group=[
            group(
                name="runners",
                count=stage.runners.count,
                kind=group.KIND_GPU if stage.model.on_device else group.KIND_CPU,
            )
        ],
        default_model_filename="model.onnx",
        dynamic_batching=pb.ModelDynamicBatching(
            max_queue_delay_microseconds=round(stage.max_queue_delay_s * 1e6),
            priority_levels=parameters.LEVELS,
            default_priority_level=parameters.DEFAULT_LEVEL,
        ),
        parameters={key: pb.ModelParameter(string_value=value) for key, value in said.items()},
    )


def statistics(stage: ModelStage) -> pb.ModelStatistics:
    """Say what a model has done, in the words of Triton's statistics."""
    batches = dict(sorted(stage.batches.by_size.items()))
    return pb.ModelStatistics(
        name=stage.model.provenance.name,
        version=stage.model.provenance.version,
        last_inference=round(stage.requests.last_answered * 1000),
        inference_count=stage.requests.rows,
        execution_count=sum(total.count for total in batches.values()),
        inference_stats=_inference(stage.requests),
        batch_stats=[
            pb.InferBatchStatistics(
                batch_size=size,
                compute_input=_no_time(total),
                compute_infer=_duration(total),
                compute_output=_no_time(total),
            )
            for size, total in batches.items()
        ],
    )


def _inference(requests: Requests) -> pb.InferStatistics:
    return pb.InferStatistics(
        success=_duration(requests.success),
        fail=_duration(requests.fail),
        queue=_duration(requests.queue),
        compute_input=_no_time(requests.run),
        compute_infer=_duration(requests.run),
        compute_output=_no_time(requests.run),
    )


def _duration(total: Total) -> pb.StatisticDuration:
    return pb.StatisticDuration(count=total.count, ns=round(total.seconds * 1e9))


def _no_time(total: Total) -> pb.StatisticDuration:
    # Clients add the parts up, and want each to have happened as often.
    return pb.StatisticDuration(count=total.count)


def _tensor(spec: TensorSpec) -> pb.ModelMetadataResponse.TensorMetadata:
    return pb.ModelMetadataResponse.TensorMetadata(
        name=spec.name, datatype=tensors.datatype(spec).name, shape=(VARIES, *spec.shape)
    )


def _data_type(spec: TensorSpec) -> str:
    return f"TYPE_{tensors.datatype(spec).name}"
