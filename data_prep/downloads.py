"""Safe downloads: https, a checksum, limits of size and time; a file is there whole and right, or not at all.

pooch downloads under a temporary name, checks the hash, moves the file only if it is right and removes it
otherwise. What pooch lacks is here: https only (redirects too), the limits, and unpacking of bounded size.
"""

from __future__ import annotations

import shutil
import time
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data_prep.errors import InputError
from data_prep.files import atomic_writer

TIMEOUT_S = 30.0
DEADLINE_S = 3600.0

_CHUNK_BYTES = 1 << 16


def download(
    url: str,
    target: Path,
    checksum: str | None,
    max_bytes: int,
    *,
    accept: str = "*/*",
    remedy: str = "Try again later",
) -> None:
    """Download one file.

    Args:
        url: An https address.
        target: Where the file shall lie; its folder is made.
        checksum: ``sha256:...`` or ``md5:...``; None where the publisher's file has none.
        max_bytes: A larger file is refused while it comes.
        accept: Media type that the server is asked for.
        remedy: What a person can do when it fails.

    Raises:
        InputError: If the address is not https, the server fails or is silent for 30 seconds, the file is too
            large, takes over an hour or has another checksum, or the folder cannot be written.
    """
    # Here, so that importing this module stays cheap.
    import pooch
    import requests

    def fetch(address: str, output_file: str, _: Any) -> None:
        _fetch(address, Path(output_file), max_bytes, accept)

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pooch.get_logger().setLevel("WARNING")
        pooch.retrieve(url, checksum, target.name, target.parent, downloader=fetch)
    except InputError:
        raise
    except (OSError, ValueError, requests.RequestException) as error:
        raise InputError(f"The download of {url} failed ({_shortly(error)})", remedy=remedy) from error


def unzip_member(archive: Path, member: str, target: Path, size: int) -> None:
    """Unpack one named member of known size; no path of the archive is used."""
    try:
        with zipfile.ZipFile(archive) as packed:
            found = packed.getinfo(member).file_size if member in packed.namelist() else None
            if found != size:
                raise InputError(
                    f"The archive {archive} does not hold {member} as expected",
                    allowed=f"{size} bytes",
                    received=found,
                )
            with packed.open(member) as source, atomic_writer(target) as stream:
                shutil.copyfileobj(source, stream, _CHUNK_BYTES)
    except zipfile.BadZipFile as error:
        raise InputError(f"The archive {archive} is damaged ({error})", remedy="Try again") from error


def _fetch(url: str, output: Path, max_bytes: int, accept: str) -> None:
    """Stream a URL into a file that pooch removes again if anything is raised here."""
    import requests

    _require_https(url)
    deadline = time.monotonic() + DEADLINE_S
    with requests.get(url, stream=True, timeout=TIMEOUT_S, headers={"Accept": accept}) as response:
        for hop in (*response.history, response):
            _require_https(hop.url)
        response.raise_for_status()
        received = 0
        with output.open("wb") as stream:
            for chunk in response.iter_content(_CHUNK_BYTES):
                received += len(chunk)
                if received > max_bytes:
                    raise InputError(
                        f"The download of {url} is larger than it may be", allowed=f"{max_bytes} bytes"
                    )
                if time.monotonic() > deadline:
                    raise InputError(
                        f"The download of {url} takes too long", allowed=f"{DEADLINE_S:.0f} seconds"
                    )
                stream.write(chunk)


def _require_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise InputError("Data is downloaded over https only", allowed="https://...", received=url)


def _shortly(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
