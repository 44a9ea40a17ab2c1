"""One JSON-RPC endpoint over HTTP: the seam to web3, and the only module that imports it.

Of web3 it takes the transport; answers are read in ``rpc_values.py``. web3's own formatters
guess where this node must not: they repair, retry and cache.
"""

from __future__ import annotations

import logging
from typing import Any, Final, cast

import requests
from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint, RPCResponse

from testamur.chain.loopback import is_plain_and_here
from testamur.chain.masking import mask_url, scrub
from testamur.credentials import strict_json
from testamur.errors import ChainUnavailableError, CredentialError

ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
"""Largest answer that is parsed: 2,000 blocks full of our events are far below it."""

_REVERTED: Final = 3
"""Error code of a call that reverted, as geth gives it."""

_FOREIGN: Final = (
    requests.RequestException,
    Web3Exception,
    OSError,
    CredentialError,  # what the strict parser calls everything that is not JSON
    ValueError,  # not a URL
)
"""Whatever web3, requests and what lies below them raise for an endpoint's fault."""

_TALKATIVE: Final = ("web3.providers.HTTPProvider", "web3._utils.http_session_manager", "urllib3")
"""Loggers that at DEBUG write whole URLs, and so the providers' keys, into the log."""


class RpcError(Exception):
    """The endpoint answered with a JSON-RPC error; the client says what that means."""

    def __init__(self, endpoint: str, method: str, rpc_code: int | None, text: str) -> None:
        super().__init__(f"{endpoint} refused {method}: {text} (code {rpc_code})")
        self.rpc_code = rpc_code
        self.text = text

    @property
    def reverted(self) -> bool:
        """Whether the contract refused, and not the endpoint."""
        return self.rpc_code == _REVERTED or "revert" in self.text.lower()


class _ForeignError(Exception):
    """What a library raised, in words that hold no URL; stands in for it as the cause."""


class _StrictProvider(HTTPProvider):
    """web3's transport with a parser that foreign bytes cannot exhaust, nor tell two stories."""

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """Parse an answer; json.loads would follow deep nesting to the end of the stack."""
        answer = strict_json.parse(raw_response, bytes_max=ANSWER_BYTES_MAX)
        return cast("RPCResponse", answer)


def quiet_libraries() -> None:
    """Keep URLs out of the log, whatever level the process has set for everything."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)


class Endpoint:
    """Asks one endpoint, each time anew, and at most once a call.

    May be used from any thread: the connections are urllib3's pool.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        if timeout_seconds <= 0:
            raise ValueError("timeout_seconds is above 0")
        # Here, and not where logs are configured: no URL is ever used without this line.
        quiet_libraries()
        self.name = mask_url(url)
        """Scheme and host, for messages."""
        self.timeout_seconds = timeout_seconds
        """Bound of each connection and of each wait for bytes."""
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = not is_plain_and_here(url)
        self._provider = _StrictProvider(
            url,
            # A redirect could lead a request, with its transaction, to anybody.
            request_kwargs={"timeout": timeout_seconds, "allow_redirects": False},
            session=self._session,
            # Retrying is the callers' business: they know what is safe, and for how long.
            exception_retry_configuration=None,
        )

    def __repr__(self) -> str:
        return f"Endpoint({self.name})"

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def ask(self, method: str, *params: object) -> object:
        """Call ``method`` and give its result, of which nothing is known; it may be None.

        Raises:
            ChainUnavailableError: no answer, or none that is JSON-RPC.
            RpcError: the endpoint answered with an error.
        """
        answer, cause = self._post(method, list(params))
        if cause is not None:
            # Outside of the except clause: the original, whose text holds the URL and may hold
            # a key, must not hang on to this one as its context.
            raise ChainUnavailableError(f"{self.name} did not answer {method}: {cause}") from cause
        if not isinstance(answer, dict):
            raise ChainUnavailableError(f"{self.name} did not answer {method} with JSON-RPC")
        if answer.get("error") is not None:
            raise self._error(method, answer["error"])
        if "result" not in answer:
            raise ChainUnavailableError(f"{self.name} answered {method} without a result")
        return answer["result"]

    def _post(self, method: str, params: list[object]) -> tuple[Any, _ForeignError | None]:
        try:
            return self._provider.make_request(cast("RPCEndpoint", method), params), None
        except _FOREIGN as exc:
            return None, _ForeignError(f"{type(exc).__name__}: {scrub(str(exc), self._url)}")

    def _error(self, method: str, error: object) -> RpcError:
        fields = error if isinstance(error, dict) else {"message": error}
        code = fields.get("code")
        text = scrub(str(fields.get("message")), self._url)
        return RpcError(self.name, method, code if isinstance(code, int) else None, text)
