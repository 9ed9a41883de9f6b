"""What a request carries. Needs: ImageRequest(context, label, namespace, priority)"""

from typing import assert_type

from toapis_async import ImageRequest

request = ImageRequest("a red fox", context={"row": 17}, label="tenant-7", namespace="ann", priority=1)
assert_type(request.label, str | None)
assert_type(request.namespace, str | None)
