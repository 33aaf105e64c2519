"""The report service, in the gateway's words."""

from grpc import aio

from services.gateway.clients import report_messages
from services.gateway.clients.calls import call, our_fault
from services.gateway.clients.report_contents import (
    AnalysisContents,
    BatchContents,
    LesionContents,
    Letterhead,
)
from services.gateway.deadlines import Deadline
from services.gateway.report_settings import Language
from services.gateway.threads import Threads
from services.pb import reports_pb2 as pb
from services.pb import reports_pb2_grpc


class Reports:
    """Asks the report service."""

    def __init__(self, channel: aio.Channel, letterhead: Letterhead, threads: Threads) -> None:
        """Build over a channel.

        Args:
            channel: to the service.
            letterhead: of every page.
            threads: where messages are put together, of which large ones take a while.

        """
        self._stub = reports_pb2_grpc.ReportServiceStub(channel)
        self._letterhead = letterhead
        self._threads = threads

    async def render(
        self,
        contents: AnalysisContents | LesionContents | BatchContents,
        language: Language,
        deadline: Deadline,
    ) -> bytes:
        """Return the PDF of an analysis, a lesion or a batch.

        Raises:
            UnavailableError: the service is down or has too much to do.
            DeadlinePassedError: no answer in time.
            UpstreamError: it failed.

        """
        request = await self._threads.run(_request, contents, self._letterhead, language)
        answer = await call(self._stub.Render, request, pb.RenderResponse, deadline, our_fault)
        return answer.pdf


def _request(
    contents: AnalysisContents | LesionContents | BatchContents,
    head: Letterhead,
    language: Language,
) -> pb.RenderRequest:
    request = pb.RenderRequest(language=language)
    if isinstance(contents, AnalysisContents):
        request.analysis.CopyFrom(report_messages.of_analysis(contents, head))
    elif isinstance(contents, LesionContents):
        request.lesion.CopyFrom(report_messages.of_lesion(contents, head))
    else:
        request.batch.CopyFrom(report_messages.of_batch(contents, head, language))
    return request
