"""Where a bucket is, and how it is asked."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from obstore.store import S3Store

_CONNECT_TIMEOUT_S = 3.0
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket of Amazon S3, or of a server that speaks its protocol.

    Attributes:
        bucket: its name.
        prefix: under which everything lies, without slashes around it.
        region: of the bucket.
        endpoint: of the server; empty for Amazon's own.
        path_style: whether the bucket is named in the path, instead of in the host's name.
        allow_http: whether an endpoint without TLS may be used.
        ca: certificates to trust beside the usual ones, as PEM; empty for none.
        access_key_id: with its secret; empty for what the environment has: variables, a web
            identity, or the role of the container or the machine.
        secret_access_key: of the access key.
        session_token: of an access key that is good for a while.
        encryption: how the server is to encrypt, such as ``AES256`` or ``aws:kms``; empty for
            what the bucket's own policy says.
        encryption_key_id: with which of its keys, for ``aws:kms``.

    """

    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    endpoint: str = ""
    path_style: bool = True
    allow_http: bool = False
    ca: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    encryption: str = ""
    encryption_key_id: str = ""

    def opened(self, timeout_s: float) -> S3Store:
        """Return a client of the bucket; it has not asked for anything yet.

        Args:
            timeout_s: seconds that a request may take, and all its tries.

        Raises:
            ValueError: the address cannot be used.

        """
        if urlsplit(self.endpoint).scheme == "http" and not self.allow_http:
            raise ValueError("an endpoint without TLS must be allowed")
        given: Any = {
            "endpoint": self._host(),
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "session_token": self.session_token,
            "server_side_encryption": self.encryption,
            "sse_kms_key_id": self.encryption_key_id,
        }
        client: Any = {
            "allow_http": self.allow_http,
            "connect_timeout": timedelta(seconds=min(_CONNECT_TIMEOUT_S, timeout_s)),
            "timeout": timedelta(seconds=timeout_s),
        }
        if self.ca:
            client["root_certificate"] = self.ca
        return S3Store(
            self.bucket,
            prefix=self.prefix or None,
            region=self.region,
            virtual_hosted_style_request=not self.path_style,
            # The server refuses what was changed on its way.
            checksum_algorithm="sha256",
            client_options=client,
            retry_config={"max_retries": _TRIES, "retry_timeout": timedelta(seconds=timeout_s)},
            **{name: value for name, value in given.items() if value},
        )

    def _host(self) -> str:
        if self.path_style or not self.endpoint:
            return self.endpoint
        return self.endpoint.replace("://", f"://{self.bucket}.", 1)
