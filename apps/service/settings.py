"""What the service allows: limits of a request, and the token that callers from other machines need."""

from __future__ import annotations

import hmac
import ipaddress
import os
from dataclasses import dataclass

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Positive

TOKEN_VARIABLE = "LECTERN_TOKEN"
LEAST_TOKEN = 16  # characters
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Limits(Checked):
    """Limits of the service, checked.

    Args:
        body: Bytes of a request.
        held: Bytes of all requests that are worked on.
        characters: Characters of a request, all its texts together.
        batch: Texts, words, expressions or pictures of a request.
        tokens: Tokens that a request has written, all its samples together.
        queue: Requests that wait for one model.
        seconds: Time from a request to its answer; a stream has to end in it too.
    """

    body: Count = 8_000_000
    held: Count = 128_000_000
    characters: Count = 200_000
    batch: Count = 64
    tokens: Count = 20_000
    queue: Count = 64
    seconds: Positive = 30.0


def token_for(host: str) -> str | None:
    """Read the token that callers have to give from LECTERN_TOKEN; None where none is needed.

    Raises:
        InputError: The token is too short, or there is none and the address is not this machine's own.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    allowed = f"{LEAST_TOKEN} characters or more, no white space, ASCII"
    if token and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        raise InputError(
            f"{TOKEN_VARIABLE} is no good token", allowed=allowed, received=f"{len(token)} characters"
        )
    if not token and not is_loopback(host):
        raise InputError(
            f"To listen on {host} a token is needed",
            allowed=f"127.0.0.1 without a token, any address with {TOKEN_VARIABLE} set",
            remedy=f"export {TOKEN_VARIABLE}=$(openssl rand -hex 32)",
        )
    return token or None


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def same_token(given: str, token: str) -> bool:
    """Compare in a time that does not tell how many characters are right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
