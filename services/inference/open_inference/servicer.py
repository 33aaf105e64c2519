"""The Open Inference Protocol v2: the room's models, each by itself, tensors in and out."""

import asyncio
import contextlib
import importlib.metadata
from collections.abc import AsyncIterator
from typing import Any

from grpc import aio

from services import rpc
from services.inference import streams
from services.inference.analysis import NOTICE
from services.inference.onnx_model import Provenance
from services.inference.open_inference import descriptions, parameters, tensors
from services.inference.open_inference.catalog import Catalog
from services.inference.refusal import UnknownModelError
from services.inference.signature import TensorSpec
from services.inference.statuses import STATUSES
from services.pb import open_inference_pb2 as pb
from services.pb import open_inference_pb2_grpc

SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name

EXTENSIONS = ("model_configuration", "schedule_policy", "statistics")
"""Those of Triton's extensions that are served."""

_SERVER = "dermserve"

_FINAL = "triton_final_response"
"""Parameter by which Triton's clients know the last answer to a request of a stream."""

_Context = aio.ServicerContext[Any, Any]


class OpenInferenceServicer(open_inference_pb2_grpc.GRPCInferenceServiceServicer):
    """Speaks for the models of a catalog."""

    def __init__(self, catalog: Catalog, server: rpc.Server, *, stream_width: int) -> None:
        """Offer models.

        Args:
            catalog: of the models.
            server: knows whether it is live and ready.
            stream_width: requests of one stream that are in work at the same time.

        """
        self._catalog = catalog
        self._server = server
        self._stream_width = stream_width
        self._version = importlib.metadata.version(_SERVER)

    async def ServerLive(
        self, request: pb.ServerLiveRequest, context: _Context
    ) -> pb.ServerLiveResponse:
        """Say whether the process is well."""
        del request, context
        return pb.ServerLiveResponse(live=self._server.is_live)

    async def ServerReady(
        self, request: pb.ServerReadyRequest, context: _Context
    ) -> pb.ServerReadyResponse:
        """Say whether work is welcome."""
        del request, context
        return pb.ServerReadyResponse(ready=self._server.is_ready)

    async def ModelReady(
        self, request: pb.ModelReadyRequest, context: _Context
    ) -> pb.ModelReadyResponse:
        """Say whether a model is here and welcomes work."""
        del context
        try:
            self._catalog.find(request.name, request.version)
        except UnknownModelError:
            return pb.ModelReadyResponse(ready=False)
        return pb.ModelReadyResponse(ready=self._server.is_ready)

    async def ServerMetadata(
        self, request: pb.ServerMetadataRequest, context: _Context
    ) -> pb.ServerMetadataResponse:
        """Name the server."""
        del request, context
        return pb.ServerMetadataResponse(name=_SERVER, version=self._version, extensions=EXTENSIONS)

    async def ModelMetadata(
        self, request: pb.ModelMetadataRequest, context: _Context
    ) -> pb.ModelMetadataResponse:
        """Describe the tensors of a model."""
        del context
        version = self._catalog.find(request.name, request.version)
        return descriptions.metadata(version.stage.model, self._catalog.versions(request.name))

    async def ModelConfig(
        self, request: pb.ModelConfigRequest, context: _Context
    ) -> pb.ModelConfigResponse:
        """Describe how a model is set up."""
        del context
        version = self._catalog.find(request.name, request.version)
        most_rows = self._catalog.most_rows(version)
        return pb.ModelConfigResponse(config=descriptions.config(version.stage, most_rows))

    async def ModelStatistics(
        self, request: pb.ModelStatisticsRequest, context: _Context
    ) -> pb.ModelStatisticsResponse:
        """Say what one model, or each, has done."""
        del context
        versions = self._catalog.versions(request.name)
        if request.version or not versions:
            versions = [self._catalog.find(request.name, request.version)]
        return pb.ModelStatisticsResponse(
            model_stats=[descriptions.statistics(version.stage) for version in versions]
        )

    async def ModelInfer(
        self, request: pb.ModelInferRequest, context: _Context
    ) -> pb.ModelInferResponse:
        """Run rows through a model."""
        return await self._infer(request, rpc.deadline_of(context))

    async def ModelStreamInfer(
        self, request_iterator: AsyncIterator[pb.ModelInferRequest], context: _Context
    ) -> AsyncIterator[pb.ModelStreamInferResponse]:
        """Do as ``ModelInfer`` for many requests, and answer each as soon as it is ready."""
        deadline = rpc.deadline_of(context)

        async def answer(request: pb.ModelInferRequest) -> pb.ModelStreamInferResponse:
            try:
                response = await self._infer(request, deadline)
            except Exception as error:  # noqa: BLE001 - one request's trouble is not the others'
                return _stream_error(request.id, error)
            response.parameters[_FINAL].bool_param = True
            return pb.ModelStreamInferResponse(infer_response=response)

        async with contextlib.aclosing(
            streams.answered(request_iterator, answer, self._stream_width)
        ) as answers:
            async for ready in answers:
                yield ready

    async def _infer(self, request: pb.ModelInferRequest, deadline: float) -> pb.ModelInferResponse:
        """Run rows through a model until a deadline on the event loop's clock."""
        name, number = request.model_name, request.model_version
        with self._catalog.lease(name, number, lambda: tensors.fingerprint(request)) as version:
            model = version.stage.model
            tensors.check(request, model.signature, self._catalog.most_rows(version))
            wanted = tensors.requested(request, model.signature)
            parameters.refuse_extensions(request)
            now = asyncio.get_running_loop().time()
            urgency = parameters.urgency(request.parameters, deadline, now)
            # Elements are not looked at before there are places for the rows they make.
            with self._catalog.place(version, request.inputs[0].shape[0], urgency):
                rows = await _read(request, model.signature.input)
                answers = await version.answer_all(list(rows), urgency)
        # Not what would run the next request: a batch may have been run again elsewhere.
        response = _begun(answers[0].output.provenance, request.id)
        tensors.write(response, wanted, [answer.output for answer in answers])
        return response


async def _read(request: pb.ModelInferRequest, spec: TensorSpec) -> tensors.Tensor:
    # Raw elements are taken as they lie; typed ones are gone through one by one.
    if request.raw_input_contents:
        return tensors.read(request, spec)
    return await asyncio.to_thread(tensors.read, request, spec)


def _begun(provenance: Provenance, request_id: str) -> pb.ModelInferResponse:
    said = {
        "sha256": provenance.sha256,
        "execution_provider": provenance.execution_provider,
        "precision": provenance.precision,
        "variant_of": provenance.variant_of,
        "notice": NOTICE,
    }
    return pb.ModelInferResponse(
        model_name=provenance.name,
        model_version=provenance.version,
        id=request_id,
        parameters={key: pb.InferParameter(string_param=value) for key, value in said.items()},
    )


def _stream_error(request_id: str, error: Exception) -> pb.ModelStreamInferResponse:
    status, sentence = rpc.answer_to(error, STATUSES)
    response = pb.ModelInferResponse(id=request_id)
    response.parameters[_FINAL].bool_param = True
    response.parameters["status"].string_param = status.name
    if (pushback_ms := rpc.pushback_ms(error)) is not None:
        response.parameters["retry_pushback_ms"].int64_param = pushback_ms
    if (reason := rpc.reason_of(error)) is not None:
        response.parameters["reason"].string_param = reason
    return pb.ModelStreamInferResponse(error_message=sentence, infer_response=response)
