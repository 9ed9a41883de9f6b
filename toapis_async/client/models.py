"""``client.models``."""

from typing import Literal

import attrs

from toapis_async.client.gateway import Gateway
from toapis_async.values.catalogue import Model
from toapis_async.values.listed import ListedModel
from toapis_async.wire.account_decoding import models_from
from toapis_async.wire.encoding import models

ModelType = Literal["text", "chat", "image", "video", "audio", "all"]


@attrs.frozen(kw_only=True)
class AvailableModel:
    """A model that the gateway lists for this key.

    Attributes:
        listed: what the gateway says; a listed id can still be refused.
        details: what the catalogue knows about it, or None.

    """

    listed: ListedModel
    details: Model | None

    @property
    def id(self) -> str:
        """The model's exact id."""
        return self.listed.id


class Models:
    """``client.models``: what the gateway lists for this key."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def list(self, type: ModelType = "image") -> tuple[AvailableModel, ...]:  # noqa: A002
        """Return the models that the gateway lists for this key, joined with the catalogue.

        Args:
            type: which kind; the gateway's own default would be text.

        Raises:
            ToAPIsError: they could not be asked for.

        """
        found = await self._gateway.ask(models(type), models_from, asked_for="the list of models")
        catalogue = self._gateway.catalogue
        return tuple(AvailableModel(listed=listed, details=catalogue.find(listed.id)) for listed in found)
