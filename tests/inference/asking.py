"""Requests as clients send them."""

from services.pb import inference_pb2 as pb


def ask(
    image: bytes,
    *,
    omit_mask: bool = False,
    omit_explanation: bool = False,
    priority: pb.Priority = pb.PRIORITY_UNSPECIFIED,
) -> pb.AnalyzeRequest:
    options = pb.AnalyzeOptions(
        omit_mask=omit_mask, omit_explanation=omit_explanation, priority=priority
    )
    return pb.AnalyzeRequest(image=image, options=options)
