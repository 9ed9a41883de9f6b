"""What a file host's answer means."""

import random

import pytest

from toapis_async.errors import ContentMismatchError, DownloadError, LinkExpiredError, TruncatedError
from toapis_async.policy.files.transfers import (
    Answer,
    FileVersion,
    answer_of,
    coding_of,
    delay_seconds,
    parse_content_range,
    worth_another_try,
)


@pytest.mark.parametrize(
    ("http_status", "offset", "content_range", "answer"),
    [
        (200, 0, None, Answer.WHOLE),
        (200, 10, None, Answer.WHOLE),
        (206, 10, "bytes 10-99/100", Answer.REST),
        (206, 10, "bytes 0-99/100", Answer.START_OVER),
        (206, 10, None, Answer.START_OVER),
        (206, 0, "bytes 0-99/100", Answer.WHOLE),
        (206, 0, None, Answer.WHOLE),
        (206, 0, "bytes 7-99/100", Answer.START_OVER),
        (416, 10, "bytes */5", Answer.START_OVER),
        (416, 0, None, Answer.REFUSED),
        (401, 0, None, Answer.GONE),
        (403, 0, None, Answer.GONE),
        (404, 10, None, Answer.GONE),
        (410, 0, None, Answer.GONE),
        (408, 0, None, Answer.BUSY),
        (429, 0, None, Answer.BUSY),
        (478, 0, None, Answer.BUSY),
        (500, 0, None, Answer.BUSY),
        (524, 10, None, Answer.BUSY),
        (400, 0, None, Answer.REFUSED),
        (204, 0, None, Answer.REFUSED),
        (302, 0, None, Answer.REFUSED),
    ],
)
def test_each_status_has_its_meaning(http_status, offset, content_range, answer):
    """One row per documented or observed answer."""
    version = FileVersion(etag='"v1"')
    assert answer is answer_of(http_status, offset=offset, content_range=content_range, begun=version, found=version)


V1 = FileVersion(etag='"v1"', last_modified="Mon", length=100)


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (V1, True),
        (FileVersion(etag='"v1"'), True),
        (FileVersion(length=100), True),
        (FileVersion(etag='"v1"', last_modified="Tue", length=100), True),
        (FileVersion(last_modified="Mon", length=100), True),
        (FileVersion(last_modified="Tue", length=100), False),
        (FileVersion(etag='"v2"', length=100), False),
        (FileVersion(etag='"v1"', length=101), False),
        (FileVersion(length=99), False),
        (FileVersion(), False),
    ],
)
def test_a_rest_of_another_version_is_not_glued_on(found, same):
    """Something that the host says must agree, and nothing may differ; a tag counts for more than a date."""
    answer = answer_of(206, offset=10, content_range="bytes 10-99/100", begun=V1, found=found)
    assert (Answer.REST if same else Answer.START_OVER) is answer


@pytest.mark.parametrize(
    ("content_range", "etag", "answer"),
    [
        ("bytes */10", '"v1"', Answer.NOTHING_LEFT),
        ("bytes */10", None, Answer.NOTHING_LEFT),
        ("bytes */10", '"v2"', Answer.START_OVER),
        ("bytes */11", '"v1"', Answer.START_OVER),
        (None, '"v1"', Answer.START_OVER),
    ],
)
def test_a_range_that_cannot_be_satisfied_may_mean_the_end(content_range, etag, answer):
    """A host that has no more than what is here says so by 416; any other 416 leads back to the beginning."""
    found = FileVersion(etag=etag)
    assert answer is answer_of(416, offset=10, content_range=content_range, begun=V1, found=found)


@pytest.mark.parametrize(
    ("etag", "last_modified", "validator"),
    [
        ('"v1"', "Mon", '"v1"'),
        ('W/"v1"', "Mon", "Mon"),
        ('"v\x011"', "Mon", "Mon"),
        ('"v\udc80"', None, None),
        ('"' + "x" * 5000 + '"', None, None),
        ("unquoted", None, "unquoted"),
        ("", "", None),
        (None, "\x7f", None),
    ],
)
def test_what_cannot_be_sent_back_is_no_validator(etag, last_modified, validator):
    """Control characters and foreign letters end nothing: the file is only not continued by them."""
    assert validator == FileVersion(etag=etag, last_modified=last_modified).validator


@pytest.mark.parametrize(
    ("label", "coding"),
    [
        ("identity", ""),
        ("aws-chunked", ""),
        ("aws-chunked,gzip", "gzip"),
        ("UTF-8", ""),
        ("none", ""),
        ("", ""),
        (" GZIP ", "gzip"),
        ("gzip, br", "gzip, br"),
        ("image/png", ""),
    ],
)
def test_labels_that_are_no_compression_are_none(label, coding):
    """What hosts write into Content-Encoding is often something else."""
    assert coding == coding_of(label)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("bytes 5-9/10", (5, 10)),
        ("bytes 5-9/*", (5, None)),
        ("bytes */10", (None, None)),
        ("bytes=5-9/10", (None, None)),
        ("bytes 5-9/" + "9" * 5000, (None, None)),
        ("bytes ٥-٩/١٠", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_content_ranges_are_read_or_ignored(text, parsed):
    """Only a well-formed range counts."""
    assert parsed == parse_content_range(text)


@pytest.mark.parametrize(
    ("error", "worth_it"),
    [
        (TruncatedError("x", http_status=206), True),
        (ContentMismatchError("x", http_status=200), True),
        (DownloadError("x"), True),
        (DownloadError("x", http_status=503), True),
        (DownloadError("x", http_status=478), True),
        (DownloadError("x", http_status=400), False),
        (DownloadError("x", http_status=302), False),
        (DownloadError("x", http_status=0), False),
        (LinkExpiredError("x", http_status=403), False),
    ],
)
def test_what_may_pass_is_tried_again(error, worth_it):
    """A broken transfer may go better; a dead link or a refused address may not."""
    assert worth_it is worth_another_try(error)


def test_delays_double_up_to_half_a_minute():
    """Each wait lies between its base and half as much again, and honours the host's wish within bounds."""
    source = random.Random(1)
    bases = [0.5, 1, 2, 4, 8, 16, 30, 30]

    for failures, base in enumerate(bases, start=1):
        assert base <= delay_seconds(failures, retry_after_seconds=None, random=source) <= base * 1.5
    assert 7 <= delay_seconds(1, retry_after_seconds=7, random=source) <= 10.5
    assert 30 <= delay_seconds(1, retry_after_seconds=86400, random=source) <= 45
