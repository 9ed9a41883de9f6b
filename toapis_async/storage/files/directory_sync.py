"""Making the names in a directory durable, as far as the file system can."""

import errno
import logging
import os

logger: logging.Logger = logging.getLogger("toapis_async")

# What file systems say that cannot sync a directory (some behind FUSE, SMB and NFS). Refused for that reason, a paid
# file would be refused for ever; its content is synced all the same.
_CANNOT = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def fsync_directory(descriptor: int) -> None:
    """Sync an open directory; where the file system cannot do that it is done without.

    Raises:
        OSError: it can, and did not.

    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        logger.debug("This file system cannot sync a directory (%s); names may not survive a power cut.", error)
