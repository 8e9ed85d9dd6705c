"""SSH signatures of a result hash: making one and asking whose it is.

Belongs here: the two calls of `ssh-keygen -Y`. Does not belong here: what is signed and when (`signoff`).

A signature is made over the hash and a line end, in the namespace `jiko-signoff`, so that a reviewer may also make it
elsewhere: `printf '%s\\n' HASH | ssh-keygen -Y sign -n jiko-signoff -f KEY`.
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from jiko_pipeline.errors import NotProvedError, SettingsError

NAMESPACE: Final = "jiko-signoff"


class SignatureError(NotProvedError):
    """A signature cannot be made, or is not that of the reviewer."""

    means = "Nothing has been signed off."
    remedy = "Sign with a key that the file of JIKO_ALLOWED_SIGNERS lists for the reviewer's name."


def sign(result_hash: str, key: Path) -> str:
    """The signature of a result hash by a private key, or by its public half through an agent."""
    done = _ssh_keygen(["-Y", "sign", "-n", NAMESPACE, "-f", str(key)], result_hash)
    if done.returncode != 0:
        raise SignatureError(f"ssh-keygen could not sign with {key}.")
    return done.stdout


def verify(result_hash: str, signature: str, *, reviewer: str, allowed_signers: Path) -> None:
    """Raises SignatureError unless the signature is of this hash, by a key that is listed for `reviewer`."""
    if not allowed_signers.is_file():
        raise SettingsError(f"There is no file {allowed_signers}, which JIKO_ALLOWED_SIGNERS names.")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "signature"
        file.write_text(signature, encoding="utf-8")
        arguments = ["-Y", "verify", "-n", NAMESPACE, "-f", str(allowed_signers), "-I", reviewer, "-s", str(file)]
        if _ssh_keygen(arguments, result_hash).returncode != 0:
            raise SignatureError(f"The signature is not one of {reviewer} for the result {result_hash}.")


def _ssh_keygen(arguments: list[str], result_hash: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=f"{result_hash}\n", capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise SignatureError(
            "There is no ssh-keygen on this machine.", remedy="Install OpenSSH, or review without a signature."
        ) from None
