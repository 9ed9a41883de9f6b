"""What a client can be asked for: one property for each noun of the gateway."""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from toapis_async.client.checking import check
from toapis_async.client.downloading import Downloader
from toapis_async.client.gateway import Gateway
from toapis_async.client.orphans import AbandonedSubmission, OrphanTracker
from toapis_async.client.uploads import Uploads
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.kinds import KINDS
from toapis_async.values.requests import GenerationRequest, Kind

if TYPE_CHECKING:
    from toapis_async.client.account import Account
    from toapis_async.client.generations import Generations
    from toapis_async.client.images import Images
    from toapis_async.client.models import Models
    from toapis_async.client.videos import Videos

LOADED = ("images", "videos", "account", "models")
"""What a client keeps once it was touched."""


class ClientVerbs:
    """The verbs of a client, on its parts.

    Attributes:
        uploads: files for use as references.

    """

    uploads: Uploads
    _gateway: Gateway
    _orphans: OrphanTracker
    _downloader: Downloader

    # Loaded when they are first touched: most programs touch one of the four, and a session none.

    @cached_property
    def images(self) -> "Images":
        """Image tasks, one call each."""
        from toapis_async.client.images import Images  # noqa: PLC0415

        return Images(self._gateway, uploads=self.uploads, orphans=self._orphans, downloader=self._downloader)

    @cached_property
    def videos(self) -> "Videos":
        """Video tasks, one call each."""
        from toapis_async.client.videos import Videos  # noqa: PLC0415

        return Videos(self._gateway, uploads=self.uploads, orphans=self._orphans, downloader=self._downloader)

    def verbs_of(self, kind: Kind) -> "Generations[GenerationRequest]":
        """Return what makes tasks of this kind: ``images`` for ``image``, ``videos`` for ``video``."""
        return cast("Generations[GenerationRequest]", getattr(self, KINDS[kind].verbs))

    @cached_property
    def account(self) -> "Account":
        """The account's money."""
        from toapis_async.client.account import Account  # noqa: PLC0415

        return Account(self._gateway)

    @cached_property
    def models(self) -> "Models":
        """The gateway's models."""
        from toapis_async.client.models import Models  # noqa: PLC0415

        return Models(self._gateway)

    @property
    def catalogue(self) -> Catalogue:
        """What each model accepts and costs."""
        return self._gateway.catalogue

    def check(self, request: "GenerationRequest") -> None:
        """Refuse what ``submit`` would refuse before anything is sent, as strictly as ``validation`` says.

        Raises:
            InvalidRequestError: it is no request, or breaks a rule of its model; ``violations`` has each one.

        """
        check(request, self._gateway)

    @property
    def abandoned(self) -> tuple[AbandonedSubmission, ...]:
        """The latest submissions and waits whose caller went away, oldest first; at most 1,000."""
        return tuple(self._orphans.abandoned)
