"""``dermserve statistics``: what the analyses of a gateway come to over time."""

from datetime import date, datetime
from typing import Annotated

import typer

from services.cli.server import asked

app = typer.Typer(add_completion=False)

_Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE")]


@app.command()
def statistics(
    since: _Day = None,
    until: _Day = None,
    interval: Annotated[str, typer.Option(help="day, week (from Monday) or month.")] = "day",
    series: Annotated[
        str | None,
        typer.Option(
            help="Only this one, as CSV: status, labels, suspicious, cannot_assess, agreement or "
            "latency."
        ),
    ] = None,
) -> None:
    """Count the analyses at DERMSERVE_SERVER from a day on, until before another, in UTC.

    DERMSERVE_TOKEN has the API key of who asks: where records are shared, all of the organisation
    are counted, else one's own. The output is JSON, or CSV of one series.
    """
    first, last = _day(since), _day(until)
    with asked() as client:
        if series is None:
            found = client.statistics(since=first, until=last, interval=interval)
            typer.echo(found.model_dump_json())
        else:
            text = client.statistics_table(series, since=first, until=last, interval=interval)
            typer.echo(text, nl=False)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
