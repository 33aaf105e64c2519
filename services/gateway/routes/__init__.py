"""The public face over HTTP, one file a resource."""

from services.gateway.routes import (
    analyses,
    auth,
    models,
    operations,
    organisation,
    pictures,
    reference,
    users,
)

ALL = (
    auth.router,
    users.router,
    organisation.router,
    analyses.router,
    pictures.router,
    models.router,
    operations.router,
    reference.router,
)
"""In the order in which the reference shows them."""
