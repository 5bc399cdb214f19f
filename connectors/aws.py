"""Who we are at AWS: region, credentials and signatures, for every connector that reaches it.

botocore finds credentials (environment, profiles, IAM Identity Center, assumed roles, instance
roles) and signs; its clients are not used: they block, and would reach more than is allowed. The
request itself goes over httpx, so that it ends when it is cancelled. Never asks a person for
anything: a profile that wants a code reads what `aws` left in its cache, or says what to run.
Importing this module loads no driver.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from timeline.problems import (
    AccessRefused,
    Misconfigured,
    MissingDriver,
    SourceProblem,
    Unreachable,
    quoted,
)

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session

    from connectors.discovery import Place

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 20.0
CREDENTIAL_TIMEOUT_S = 15.0
"""Assuming a role or asking an instance for its own takes one or two round trips."""
CLI_CACHE = Path(".aws/cli/cache")
"""Below the home folder: where `aws` keeps the roles it has assumed."""
QUOTED_CHARACTERS = 200
"""botocore's own words are quoted up to here."""


class AWSOptions(BaseModel):
    """What every source at AWS has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    region: str = ""
    """`eu-west-1`; empty takes AWS_REGION, AWS_DEFAULT_REGION or the profile's."""
    profile: str = ""
    """A profile of ~/.aws/config; empty takes AWS_PROFILE or the default."""
    endpoint_url: str = ""
    """Another address of the API: a VPC endpoint, a tunnel, an emulator."""
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    @field_validator("endpoint_url")
    @classmethod
    def _an_http_address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("write it as https://host, without an account")
        return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one service answers, and for which region it is signed."""

    url: str
    region: str


class Identity:
    """Credentials and region of one profile. Everything that may block runs in a worker thread."""

    def __init__(self, region: str, profile: str, endpoint_url: str = "") -> None:
        self._region = region
        self._profile = profile
        self._endpoint_url = endpoint_url
        self._session: Session | None = None
        self._credentials: Credentials | None = None
        self._endpoints: dict[str, Endpoint] = {}
        self._finding = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Identity({self.words})"

    @property
    def words(self) -> str:
        """`AWS profile shop, eu-west-1`: for error sentences."""
        parts = [f"AWS profile {self._profile}" if self._profile else "AWS", self._region]
        return ", ".join(part for part in parts if part)

    @property
    def remedy(self) -> str:
        """What to run when credentials are missing or have expired."""
        profile = f" --profile {self._profile}" if self._profile else ""
        return f"Log in again: aws sso login{profile} (or however you log in to AWS)."

    async def endpoint(self, service: str) -> Endpoint:
        """Where `service` (botocore's endpoint prefix) answers. Raises `SourceProblem`."""
        if service not in self._endpoints:
            self._endpoints[service] = await self._in_thread(self._endpoint, service)
        return self._endpoints[service]

    async def signed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, service: str
    ) -> dict[str, str]:
        """`headers` and those of AWS Signature Version 4. Raises `SourceProblem`.

        `url` must be sent exactly so: use `canonical` for one with a query. Send none but these
        headers, but for those that travel unsigned (user-agent).
        """
        return await self._in_thread(self._signed, method, url, headers, body, service)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with self._finding, asyncio.timeout(CREDENTIAL_TIMEOUT_S):
                return await asyncio.to_thread(work, *args, **kwargs)
        except TimeoutError:
            raise Unreachable(
                "AWS did not hand out credentials in time", where=self.words, remedy=self.remedy
            ) from None

    def _opened(self) -> Session:
        if self._session is None:
            self._session = open_session(self._profile, self.words, self.remedy)
        return self._session

    def _region_of(self, session: Session) -> str:
        if region := self._region or session.get_config_variable("region"):
            return str(region)
        raise Misconfigured(
            "No AWS region is set",
            where=self.words,
            remedy="Set region, AWS_REGION, or the region of the profile.",
        )

    def _endpoint(self, service: str) -> Endpoint:
        session = self._opened()
        from botocore.exceptions import BotoCoreError
        from botocore.regions import EndpointResolver

        try:
            region = self._region_of(session)
            known = EndpointResolver(session.get_data("endpoints"))
            found = known.construct_endpoint(service, region)
        except BotoCoreError as error:
            problem = refused(error, self.words, self.remedy)
        else:
            host = (found or {}).get("hostname") or f"{service}.{region}.amazonaws.com"
            return Endpoint(self._endpoint_url or f"https://{host}", region)
        raise problem

    def _signed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, service: str
    ) -> dict[str, str]:
        session = self._opened()
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            region = self._region_of(session)
            if self._credentials is None:
                self._credentials = session.get_credentials()
            if self._credentials is None:
                raise AccessRefused(
                    "No AWS credentials were found", where=self.words, remedy=self.remedy
                )
            frozen = self._credentials.get_frozen_credentials()  # renews what has expired
            digest = hashlib.sha256(body).hexdigest()
            request = AWSRequest(
                method, url, data=body, headers={**headers, "x-amz-content-sha256": digest}
            )
            SigV4Auth(frozen, service, region).add_auth(request)
        except (BotoCoreError, ClientError, MFANeeded, OSError) as error:
            self._credentials = None
            problem = refused(error, self.words, self.remedy)
        else:
            return {name.lower(): str(value) for name, value in request.headers.items()}
        raise problem


def open_session(profile: str, where: str, remedy: str) -> Session:
    """A botocore session that asks nobody anything. Raises `MissingDriver`, `Misconfigured`."""
    try:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ImportError:
        raise MissingDriver(
            "The AWS driver is not installed",
            where="aws",
            remedy="Install it: pip install 'halfawake[aws]'",
        ) from None
    session = Session(profile=profile or None)
    try:
        roles = session.get_component("credential_provider").get_provider("assume-role")
    except BotoCoreError as error:
        problem = refused(error, where, remedy)
    else:
        roles.cache = _RolesOfTheCLI(Path.home() / CLI_CACHE)
        roles._prompter = _ask_nobody  # nothing else keeps botocore from reading the terminal
        return session
    raise problem


def canonical(url: str) -> str:
    """`url` with its query encoded as Signature Version 4 does (all but letters, digits, -_.~).

    The server signs the query anew in that spelling, botocore takes it as it stands: a `*` or `,`
    left bare would be another signature (AWS, "Create a signed request", canonical query string).
    """
    base, mark, query = url.partition("?")
    return base + mark + quote(query, safe="-_.~%=&") if mark else url


class MFANeeded(Exception):
    """A profile wants a code that only a person can give."""


def refused(error: Exception, where: str, remedy: str) -> SourceProblem:
    """What a failure to find credentials means. Says no word of a process that prints them."""
    name = type(error).__name__
    if name in ("ProfileNotFound", "ConfigNotFound", "ConfigParseError", "InvalidConfigError"):
        said = quoted(str(error), QUOTED_CHARACTERS)
        fix = "Correct profile, or ~/.aws/config."
        return Misconfigured(f"The AWS profile cannot be used: {said}", where=where, remedy=fix)
    if name == "MFANeeded":
        return AccessRefused(
            "The AWS profile wants a code (MFA)",
            where=where,
            remedy="Run an aws command with this profile first (aws sts get-caller-identity); "
            "the role it assumes is then taken from its cache.",
        )
    if "SSO" in name or "Token" in name:
        return AccessRefused("The AWS login has expired", where=where, remedy=remedy)
    return AccessRefused(
        f"AWS credentials could not be had ({name})",
        where=where,
        remedy=remedy,
    )


def profiles_in(place: Place) -> Iterator[str]:
    """Names of the profiles in ~/.aws/config."""
    for line in place.text(place.home / ".aws/config").splitlines():
        section = line.strip()
        if section.startswith("[profile ") and section.endswith("]"):
            yield section[len("[profile ") : -1].strip().strip("\"'")
        elif section == "[default]":
            yield "default"


class _RolesOfTheCLI(dict[str, object]):
    """Roles that `aws` has assumed, read from its cache; our own stay in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._read(str(key)) is not None

    def __missing__(self, key: str) -> object:
        if (kept := self._read(key)) is None:
            raise KeyError(key)
        return kept

    def _read(self, key: str) -> object:
        try:
            kept: object = json.loads((self._folder / f"{key}.json").read_text())
        except (OSError, ValueError):
            return None
        return kept


def _ask_nobody(question: str) -> NoReturn:
    raise MFANeeded
