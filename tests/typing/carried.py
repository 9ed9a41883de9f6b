"""What a request carries. Needs: ImageRequest(context, label, priority)"""

from typing import assert_type

from toapis_async import ImageRequest

request = ImageRequest("a red fox", context={"row": 17}, label="tenant-7", priority=1)
assert_type(request.label, str | None)
