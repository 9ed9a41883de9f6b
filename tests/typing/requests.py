"""Requests: lists, tuples and mixtures are taken for references, and what is kept is frozen."""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import assert_type

from toapis_async import ImageRequest, RoleReference, VideoRequest, catalogue_file, estimate, packaged_catalogue

names: list[str] = ["style.png", "https://example.com/character.png"]
paths: list[Path] = [Path("style.png")]

ImageRequest("a red fox")
ImageRequest(prompt="a red fox", size="16:9", resolution="2K", n=2)
ImageRequest("a red fox", reference_images=["a.png"])
ImageRequest("a red fox", reference_images=names)
ImageRequest("a red fox", reference_images=paths)
ImageRequest("a red fox", reference_images=("a.png", Path("b.png"), b"\x89PNG"))
ImageRequest("a red fox", mask=Path("mask.png"), seed=7, temperature=0.4, edit=True)
ImageRequest("a red fox", id="row-17", client_business_id="order-17", callback_url="https://example.com/hook")
ImageRequest("a red fox", extra={"metadata": {"style": "vivid"}})

request = ImageRequest("a red fox", reference_images=names)
assert_type(request.reference_images, tuple[str | os.PathLike[str] | bytes, ...])
assert_type(request.extra, Mapping[str, object])
assert_type(request.size, str | None)
assert_type(request.n, int)

first = RoleReference(source="first.png", role="first_frame")
VideoRequest("waves at dusk", model="sora-2", duration=8, size="16:9")
VideoRequest("waves at dusk", model="sora-2", reference_images=["a.png", first])
VideoRequest("waves at dusk", model="sora-2", reference_videos=names, reference_audios=paths)
VideoRequest("waves at dusk", model="sora-2", first_frame="first.png", last_frame=b"\x89PNG", audio=True)

assert_type(estimate(request, packaged_catalogue()), Decimal | None)
catalogue_file("models.json")
