"""Other nodes, the demo, configuration, and files that commands make."""

from __future__ import annotations

from testamur.errors.base import TestamurError


class NodeError(TestamurError):
    """A node that was asked over HTTP."""

    code = "node_error"


class NodeUnavailableError(NodeError):
    """The node did not answer."""

    code = "node_unavailable"
    advice = "Check the node's URL, or ask another member's node."


class NodeBusyError(NodeUnavailableError):
    """The node says after how many seconds to come back."""

    code = "node_busy"
    advice = "Run the same command again later: what the node has taken already is not lost."

    def __init__(self, message: str, retry_after_seconds: int, *, too_often: bool = False) -> None:
        """``too_often``: it is in no trouble itself, and answers this client less often (429)."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.too_often = too_often


class NodeRefusedError(NodeError):
    """The node does not let whoever asks do this."""

    code = "node_refused"
    advice = (
        "Give a token that is in force and has the scope: TESTAMUR_TOKEN or --token-file. The "
        "node's operator makes one: testamur token create."
    )


class NodeProtocolError(NodeError):
    """The node answered something that is not of the protocol."""

    code = "node_protocol"


class EndpointRefusedError(NodeError):
    """The endpoint that a member has on chain is none that this node connects to."""

    code = "endpoint_refused"
    advice = (
        "The member has to publish an https URL at a public address, or the operator of this "
        "node allows its host and port in allowed_private_endpoints."
    )


class DemoError(TestamurError):
    """The demo cannot go on."""

    code = "demo_failed"
    advice = "Run it again; if it fails again, look into the logs in the directory it names."


class ConfigurationError(TestamurError):
    """A setting is missing or cannot be used."""

    code = "configuration"


class UnwritableFileError(TestamurError):
    """A file that a command makes could not be made durable; whether it was kept is unknown."""

    code = "unwritable_file"
    advice = "Check the folder's space and permissions, then run the same command again."


class FolderInUseError(UnwritableFileError):
    """Another command is issuing into the same folder."""

    code = "folder_in_use"
    advice = "Wait until the other one ends, then run the command again: nothing is done twice."
