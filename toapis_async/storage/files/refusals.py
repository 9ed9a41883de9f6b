"""What the disk's refusals mean, and what to do about them."""

import errno

from toapis_async.errors import StorageError

_FULL = "Free some space, or choose another output directory, and resume: nothing that was paid for is lost."
_FORBIDDEN = "Give yourself write access to the output directory, or choose another one, and resume."
_TOO_MANY = "Raise the limit of open files (ulimit -n), or use fewer download workers, and resume."
_OTHER = "Check the disk, and resume: nothing that was paid for is lost."

_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "The file system or a limit (ulimit -f) does not take files of this size: raise it, and resume.",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.ENOTDIR: "Something on the way to the output directory is a file: choose another one.",
    errno.ELOOP: "A symbolic link has the name, and what it leads to would be written over: move the link away.",
    errno.EISDIR: "A directory has the file's name: move it away, and resume.",
}


def storage_error(error: OSError, *, path: str) -> StorageError:
    """Translate what the operating system said about a path of the user's."""
    said = error.strerror or type(error).__name__
    return StorageError(f"{path} could not be written: {said}.", path=path, hint=_HINTS.get(error.errno or 0, _OTHER))
