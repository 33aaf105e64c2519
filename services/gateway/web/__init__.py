"""Web pages for people, one file a page: the same use cases as the REST routes, shown.

Every page works without scripts; those in ``static`` make it quicker and nicer.
"""

from services.gateway.web import (
    account,
    administration,
    analyze,
    api_keys,
    assessments,
    assets,
    audit,
    batches,
    comparison,
    history,
    landing,
    lesions,
    models,
    offline,
    password_resets,
    patients,
    result,
    second_factor,
    second_step,
    session,
    statistics,
    users,
    webhook_changes,
    webhook_deliveries,
    webhooks,
)
from services.gateway.web.pages import Pages
from services.gateway.web.problem_pages import ProblemPages

__all__ = ["ROUTERS", "Pages", "ProblemPages"]

ROUTERS = (
    account.router,
    administration.router,
    analyze.router,
    api_keys.router,
    assessments.router,
    assets.router,
    audit.router,
    batches.router,
    comparison.router,
    history.router,
    landing.router,
    lesions.router,
    models.router,
    offline.router,
    password_resets.router,
    patients.router,
    result.router,
    second_factor.router,
    second_step.router,
    session.router,
    statistics.router,
    users.router,
    webhook_changes.router,
    webhook_deliveries.router,
    webhooks.router,
)
