"""The expected output of the independent clients' programs, check by check, and its parser."""

from dataclasses import dataclass
from typing import Any

CLIENTS = {
    "client-grpc": ("zitadel_client.js", "grpc"),
    "client-grpc-web": ("zitadel_client.js", "grpc-web"),
    "node-grpc": ("zitadel_node.js",),
}
"""The program of each client, and its arguments after the addresses and the keys."""
CHANGES = {
    "add": "changeDate",
    "activate": "creationDate",
    "password": "changeDate",
    "email-password": "changeDate",
    "deactivate": "creationDate",
    "remove": "changeDate",
}
"""The changes in their order, with the date that the mock returns for each."""
SETTINGS = {
    "senderAddress": "noreply@example.com",
    "senderName": "Grüße ✉",
    "tls": True,
    "host": "smtp.example.com:587",
    "user": "mailer",
    "replyToAddress": "help@example.com",
    "description": "independent client",
}
READS = {"get-added": ("add", [2, "SMTP_CONFIG_INACTIVE"]), "get-active": ("email-password", [1, "SMTP_CONFIG_ACTIVE"])}
"""The last change before each read, and the state that the read returns."""
LISTED = {"list", "list-removed"}
NOT_FOUND = "SMTP configuration not found"
TOO_LONG_ID = "invalid id: value length must be between 1 and 100 runes, inclusive"
REFUSALS = {
    "no-credential": (16, "auth header missing", ""),
    "bad-credential": (16, "Errors.Token.Invalid", "AUTH-7fs1e"),
    "no-permission": (7, "No matching permissions found", "AUTH-5mWD2"),
    "list-no-permission": (7, "No matching permissions found", "AUTH-5mWD2"),
    "long-id": (3, TOO_LONG_ID, ""),
    "long-id-email": (3, TOO_LONG_ID, ""),
    "long-id-get": (3, TOO_LONG_ID, ""),
    "password-inactive": (5, NOT_FOUND, "COMMAND-rDHzqjGuKQ"),
    "password-unknown": (5, NOT_FOUND, "COMMAND-rDHzqjGuKQ"),
    "password-removed": (5, NOT_FOUND, "COMMAND-rDHzqjGuKQ"),
    "email-password-removed": (5, NOT_FOUND, "COMMAND-rDHzqjGuKQ"),
    "get-unknown": (5, NOT_FOUND, "QUERY-fwofw"),
    "get-removed": (5, NOT_FOUND, "QUERY-fwofw"),
    "remove-again": (5, NOT_FOUND, "COMMAND-09CXlTDL6w"),
    "activate-again": (9, "Errors.SMTPConfig.AlreadyActive", "COMMAND-vUHBSmBzaw"),
}
"""Code, message and error id, which follows the message and is in the details; errors of validation have none."""
UNUSUAL_TEXT = "100 % größer: %41 ✉"
SCRIPTED = {"widest", "odd-message", "odd-details"}
JETEMAIL = {"taken": 409, "invalid": 400, "exclusive": 400, "not-on-this-plan": 403, "bad-key": 401}


@dataclass(frozen=True)
class DecodedChecks:
    """The checks of one client, by name, and the start and end of its program in seconds since the epoch."""

    checks: dict[str, dict[str, Any]]
    started_at: float
    ended_at: float

    def read_details(self, check: str) -> dict[str, Any]:
        """Return the details of the object in a response."""
        response = self.checks[check]["answer"]
        details: dict[str, Any] = response.get("smtpConfig", response)["details"]
        return details

    def read_sequence(self, check: str) -> int:
        return int(self.read_details(check)["sequence"]["integer"])

    def is_run_time(self, timestamp: Any) -> bool:
        """Return True if a decoded timestamp lies within the program's run."""
        if not timestamp:
            return False
        seconds: float = timestamp["seconds"] + timestamp.get("nanos", 0) / 1e9
        return self.started_at - 1 <= seconds <= self.ended_at + 1
