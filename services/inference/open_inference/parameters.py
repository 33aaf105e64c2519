"""What a request says beside its tensors: how urgent it is, and what is not served here."""

from collections.abc import Iterator, Mapping

from services.inference.priority import Priority, Urgency
from services.inference.refusal import InvalidRequestError
from services.pb import open_inference_pb2 as pb

Parameters = Mapping[str, pb.InferParameter]

_PRIORITIES = {0: Priority.INTERACTIVE, 1: Priority.INTERACTIVE, 2: Priority.BULK}
"""Of Triton's extension "schedule_policy", where 0 stands for the default."""

LEVELS = max(_PRIORITIES)
DEFAULT_LEVEL = 1

_MICROSECOND_S = 1e-6

_NOT_SERVED = {
    "shared_memory_region": "shared memory: send tensors in the message",
    "classification": "the classification extension: ask for the output itself",
    "sequence_id": "sequences: the models keep no state between requests",
}
"""Parameters of Triton's extensions that would change what the answer means."""


def urgency(parameters: Parameters, deadline: float, now: float) -> Urgency:
    """Return until when, and how soon, a request's answer is needed.

    Args:
        parameters: of the request.
        deadline: of the call, on the event loop's clock.
        now: the moment on that clock.

    Raises:
        InvalidRequestError: a priority or timeout that means nothing.

    """
    level = _whole("priority", parameters)
    if level not in _PRIORITIES:
        raise InvalidRequestError(
            f"parameter priority is 1 for interactive or 2 for bulk; {level} came"
        )
    timeout = _whole("timeout", parameters)
    if timeout < 0:
        raise InvalidRequestError(
            f"parameter timeout is a number of microseconds, or 0 for none; {timeout} came"
        )
    if timeout:
        deadline = min(deadline, now + timeout * _MICROSECOND_S)
    return Urgency(deadline, _PRIORITIES[level], since=now)


def refuse_extensions(request: pb.ModelInferRequest) -> None:
    """Refuse a request that needs an extension which is not served.

    Raises:
        InvalidRequestError: it does.

    """
    for parameters in _all(request):
        for name, instead in _NOT_SERVED.items():
            if name in parameters:
                raise InvalidRequestError(f"this service does not speak {instead}")


def _all(request: pb.ModelInferRequest) -> Iterator[Parameters]:
    yield request.parameters
    for tensor in request.inputs:
        yield tensor.parameters
    for output in request.outputs:
        yield output.parameters


def _whole(name: str, parameters: Parameters) -> int:
    """Return a whole number; 0 where it is left out."""
    if name not in parameters:
        return 0
    kind = parameters[name].WhichOneof("parameter_choice")
    if kind == "int64_param":
        return parameters[name].int64_param
    if kind == "uint64_param":
        return parameters[name].uint64_param
    raise InvalidRequestError(f"parameter {name} is a whole number; {kind or 'nothing'} came")
