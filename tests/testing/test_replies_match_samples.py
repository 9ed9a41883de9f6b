"""Every endpoint and state, walked once: each reply has the shape of a recorded or documented one."""

import pytest

from toapis_async.testing.gateway.replies.refusals import REFUSALS
from toapis_async.testing.scenario.faults import Fault
from toapis_async.testing.scenario.latency import Constant
from toapis_async.testing.scenario.misbehaviour import Fail, MoveUrl, Refuse, WithoutUrl
from toapis_async.testing.scenario.settings import Scenario

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
MP4 = b"\0\0\0\x18ftypisom" + bytes(100)
GOOD = {"model": "gpt-4o-image", "prompt": "p"}
LATER = {"billing", "client_business_id"}
"""Fields that any task may carry besides; they have samples of their own."""


def shape(value):
    """The names and kinds of a document, without its values."""
    match value:
        case dict():
            return {name: shape(part) for name, part in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case bool() | None:
            return type(value).__name__
        case int() | float():
            return "number"
        case _:
            return "text"


@pytest.fixture
def check(sample):
    """Compare a reply with a sample; task documents may carry billing and the reference besides."""

    def compare(name, document):
        recorded = sample(name)
        known = {key: value for key, value in document.items() if key not in LATER - recorded.keys()}
        assert shape(known) == shape(recorded), name

    return compare


async def test_image_tasks(running, check):
    """Created, in each state, completed, failed, expired, with and without billing."""
    faults = (Fault(where="task", what=Fail(), match="broken"),)
    async with running(faults=faults, words=("pending", "submitted", "queued", "in_progress")) as (sim, caller):
        made = await caller.submit(client_business_id="order_1")
        check("create_image_with_client_business_id", made)
        for word in ("pending", "submitted", "queued", "in_progress"):
            task = await caller.look(made["id"])
            assert task["status"] == word
            check(f"status_image_{word}", task)
            sim.clock.advance(0.2)
        check("create_image_pending_live", await caller.submit())
        sim.clock.advance(1)
        check("status_image_completed_client_business_id", await caller.look("order_1"))
        check("status_image_completed_multi", await caller.made(n=2))
        broken = await caller.made("broken")
        check("status_image_failed", broken)
        check("status_image_failed_billing_refunded", {k: v for k, v in broken.items() if k != "created_at"})
        sim.clock.advance(86_400)
        check("status_image_completed_empty_data", await caller.look(made["id"]))


async def test_billing(running, check):
    """Settled at once, or pending first."""
    plain = {"created_at", "completed_at", "expires_at"}
    async with running(billing="late") as (sim, caller):
        task = await caller.made()
        check("status_image_completed_billing_pending", {k: v for k, v in task.items() if k not in plain})
        sim.clock.advance(60)
        task = await caller.look(task["id"])
        check("status_image_completed_billing_settled", {k: v for k, v in task.items() if k not in plain})


@pytest.mark.parametrize(
    ("fault", "name", "left_out"),
    [
        (MoveUrl(place="both"), "status_image_completed_both_urls", set()),
        (WithoutUrl(), "status_image_completed_empty_data", set()),
        (WithoutUrl(result="missing"), "status_image_completed_no_result", {"expires_at"}),
    ],
)
async def test_bent_status_replies(running, check, fault, name, left_out):
    """Faults bend a reply into another recorded shape."""
    async with running(faults=(Fault(where="query", what=fault),)) as (_, caller):
        task = await caller.made()

        check(name, {k: v for k, v in task.items() if k not in left_out})


async def test_video_tasks(running, check):
    """Created, in each state, remixed, completed, failed; and the envelope of the running service."""
    faults = (Fault(where="task", what=Fail(), match="broken"),)
    video = {"model": "sora-2", "path": "/v1/videos/generations"}
    async with running(faults=faults) as (sim, caller):
        made = await caller.submit(**video)
        check("create_image_queued", made)
        echoed = await caller.submit(**video, aspect_ratio="16:9")
        check("create_video_metadata_aspect_ratio", echoed)
        sim.clock.advance(0.3)
        check("status_video_queued", await caller.look(made["id"], "videos"))
        sim.clock.advance(0.3)
        check("status_video_in_progress", await caller.look(made["id"], "videos"))
        sim.clock.advance(1)
        check("status_video_completed", await caller.look(made["id"], "videos"))
        broken = await caller.submit("broken", **video)
        sim.clock.advance(1)
        check("status_video_failed", await caller.look(broken["id"], "videos"))
        for verb in ("remix", "extend"):
            again = await caller.submit(model="sora-2", path=f"/v1/videos/{made['id']}/{verb}")
            check("create_video_remix_object_video", again)
    async with running(video_envelope="live") as (_, caller):
        made = await caller.submit(**video)
        check("create_video_live_envelope_empty_status", made)
        assert made["task_id"] != made["id"]
        assert (await caller.look(made["task_id"], "video"))["status"] == "pending"


async def test_each_model_has_its_form_of_the_first_answer(running, check):
    """Without metadata, without progress, with what was mapped."""
    video = {"path": "/v1/videos/generations"}
    async with running() as (_, caller):
        check("create_image_no_metadata", await caller.submit(model="viduq3-fast"))
        check("create_video_no_progress_no_metadata", await caller.submit(model="gemini-omni-flash", **video))
        made = await caller.submit(model="sora-2-official", size="1280x720", duration=12, **video)
        check("create_video_metadata_size_seconds", made)
        assert made["metadata"] == {"size": "1280x720", "seconds": "12"}
    async with running(created_word="in_progress") as (_, caller):
        made = await caller.submit(model="seedance-2-mini", client_business_id="mine", **video)
        check("create_video_in_progress_client_business_id", made)
        assert (made["status"], made["progress"]) == ("in_progress", 10)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"created_form": "task_id_only"}, "create_tolerated_task_id_only"),
        ({"created_form": "synchronous", "url_form": "b64_json"}, "status_tolerated_sync_b64"),
        (
            {
                "created_form": "current",
                "video_envelope": "live",
                "billing": "never",
                "faults": (Fault(where="task", what=Fail(progress=100)),),
            },
            "create_video_live_envelope_failed",
        ),
    ],
)
async def test_first_answers_that_are_tolerated(running, check, settings, name):
    """A task that is named otherwise, finished at once, or not named at all."""
    path = "/v1/videos/generations" if "live" in name else "/v1/images/generations"
    model = "seedance-2-5" if "live" in name else "gpt-image-2"
    async with running(latency=Constant(0), **settings) as (sim, caller):
        check(name, await caller.submit(path=path, model=model))
        assert sim.books.accepted == 1


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("data", "status_tolerated_data0_url"),
        ("output", "status_tolerated_output_objects"),
        ("result_url", "status_tolerated_result_url"),
        ("strings", "status_tolerated_result_data_strings"),
        ("metadata", "status_video_completed_metadata_url"),
    ],
)
async def test_addresses_in_other_places(running, sample, place, name):
    """Each place where an address was seen or is tolerated."""
    async with running(url_place=place) as (_, caller):
        task = await caller.made()

        recorded = {key: part for key, part in sample(name).items() if key in {"data", "output", "result", "metadata"}}
        assert shape({key: task[key] for key in recorded}) == shape(recorded)
        assert place in {"result_url", "strings"} or "result" not in task


@pytest.mark.parametrize(
    ("fault", "name", "left_out"),
    [
        (Fail(form="text"), "status_tolerated_error_string", {"object", "model", "progress", "created_at", "billing"}),
        (Fail(form="fail_reason"), "status_tolerated_fail_reason", {"object", "model", "progress", "created_at"}),
        (Fail(form="none", word="cancelled"), "status_tolerated_cancelled", {"object", "model", "created_at"}),
        (Fail(progress=100), "status_video_failed_progress_100", set()),
    ],
)
async def test_tasks_fail_in_other_words(running, check, sample, fault, name, left_out):
    """As a text, as a reason, without either, and with full progress."""
    async with running(faults=(Fault(where="task", what=fault),)) as (_, caller):
        task = await caller.made()

        check(name, {key: value for key, value in task.items() if key not in left_out})
        assert task["status"] == sample(name)["status"]


async def test_last_frames_and_searches(running, check):
    """A still of the end where it was asked for, and what the model looked up."""
    asked = {"return_last_frame": True, "tools": [{"type": "web_search"}]}
    async with running() as (sim, caller):
        made = await caller.submit(path="/v1/videos/generations", model="seedance-2", **asked)
        sim.clock.advance(2)
        task = await caller.look(made["id"], "videos")

        check("status_video_completed_last_frame_usage", task)
        assert (await caller.call("GET", task["result"]["data"][0]["last_frame_url"]))[2].startswith(b"\x89PNG")


async def test_videos_may_lie_among_the_images(running, check):
    """The path does not tell the kind."""
    async with running(video_folder="/images") as (sim, caller):
        made = await caller.submit(path="/v1/videos/generations", model="seedance-2")
        sim.clock.advance(2)
        task = await caller.look(made["id"], "videos")

        check("status_video_completed_in_images_path", task)
        url = task["result"]["data"][0]["url"]
        assert "/images/" in url
        assert (await caller.call("GET", url))[1]["Content-Type"] == "video/mp4"


async def test_token_counts(running, check):
    """Models that are billed by tokens say how many."""
    async with running() as (_, caller):
        task = await caller.made(model="gpt-image-2.5-flare-vip", size="1024x1024", quality="low")

        plain = {"progress", "created_at", "completed_at", "expires_at"}
        check("status_image_completed_usage", {key: value for key, value in task.items() if key not in plain})


async def test_characters(running, check):
    """Made from a video by the videos' endpoint, asked about at a path of their own."""
    wish = {"model": "sora-2", "url": "https://a.example/me.mp4", "timestamps": "1,3"}
    async with running() as (sim, caller):
        made = (await caller.call("POST", "/v1/videos/generations", json=wish))[2]
        check("create_persona_queued", made)
        sim.clock.advance(0.6)
        check("status_character_in_progress", (await caller.call("GET", f"/v1/characters_tasks/{made['id']}"))[2])
        wish["timestamps"] = "1,9"
        status, _, document = await caller.call("POST", "/v1/videos/generations", json=wish)
        assert status == 400
        check("error_400_persona_timestamps", document)


@pytest.mark.parametrize(
    ("where", "reply", "path", "name"),
    [
        ("balance", "used_quota_failed", "/v1/user/balance", "balance_user_used_failed"),
        ("upload", "upload_too_large_zh", "/v1/uploads/images", "upload_200_success_false"),
        ("submit", "invalid_request_body", "/v1/images/generations", "error_400_asset_invalid_request_body"),
    ],
)
async def test_failures_without_an_error_object(running, check, where, reply, path, name):
    """Some come with status 200."""
    method = "GET" if where == "balance" else "POST"
    async with running(faults=(Fault(where=where, what=Refuse(reply=reply)),)) as (_, caller):
        status, _, document = await caller.call(method, path)

        assert status == (400 if name.startswith("error_400") else 200)
        check(name, document)


async def test_account_endpoints(running, check):
    """Balances, limited and not, models, tokens."""
    async with running() as (sim, caller):
        for path in ("/balance", "/v1/balance"):
            check("balance_token_ok", (await caller.call("GET", path))[2])
        for path in ("/user/balance", "/v1/user/balance"):
            check("balance_user_ok", (await caller.call("GET", path))[2])
        sim.account.balance_usd = None
        check("balance_token_unlimited", (await caller.call("GET", "/v1/balance"))[2])
        check("balance_user_unlimited", (await caller.call("GET", "/v1/user/balance"))[2])
        check("models_list", (await caller.call("GET", "/v1/models"))[2])
        kinds = [(await caller.call("GET", f"/v1/models?type={kind}"))[2]["data"] for kind in ("video", "all")]
        assert len(kinds[0]) < len(kinds[1])
        assert (await caller.call("GET", "/v1/models", key=False))[0] == 401
        check("models_list_image", (await caller.call("GET", "/v1/models?type=image"))[2])
        check("token_create_ok", (await caller.call("POST", "/v1/tokens", json={"name": "x"}))[2])
        refused = await caller.call("POST", "/v1/tokens", json={"name": "x" * 51})
        assert refused[0] == 200
        check("token_create_name_too_long", refused[2])


async def test_uploads(running, check, form):
    """Taken, too large, of another type."""
    async with running() as (_, caller):
        for kind, content in (("image", PNG), ("video", MP4)):
            path = f"/v1/uploads/{kind}s"
            check(f"upload_{kind}_ok", (await caller.call("POST", path, data=form(content)))[2])
            status, _, document = await caller.call("POST", path, data=form(b"no picture"))
            assert status == 400
            check(f"upload_{kind}_400_type", document)
        status, _, document = await caller.call("POST", "/v1/uploads/images", data=form(PNG + bytes(10_000_000)))
        assert status == 400
        check("upload_image_400_too_large", document)
        status, _, document = await caller.call("POST", "/v1/uploads/videos", data=form(MP4 + bytes(50_000_000)))
        assert status == 400
        check("upload_video_400_too_large", document)
        assert (await caller.call("POST", "/v1/uploads/videos", data=form(MP4), key=False))[0] == 401


@pytest.mark.parametrize(
    ("name", "sample_name"),
    [
        ("webhook_not_configured", "error_400_webhook_not_configured"),
        ("base64_not_allowed", "error_400_base64_not_allowed"),
        ("image_urls_with_roles", "error_400_image_urls_with_roles"),
        ("privacy_information", "error_400_privacy_information"),
        ("fail_to_fetch_task", "error_400_fail_to_fetch_task"),
        ("unauthorized", "error_401_unauthorized"),
        ("unauthorized_numeric", "error_401_numeric"),
        ("unauthorized_zh", "error_401_numeric_zh"),
        ("missing_token", "error_401_new_api_missing_token"),
        ("payment_required", "error_402_payment_required"),
        ("insufficient_quota", "error_402_insufficient_quota"),
        ("task_not_found", "error_404_task_not_found"),
        ("task_not_found_zh", "error_404_task_not_found_zh"),
        ("content_policy", "error_422_content_policy"),
        ("rate_limited", "error_429_async_submit"),
        ("rate_limited_zh", "error_429_async_submit_zh"),
        ("rate_limited_numeric", "error_429_rate_limit_error_numeric"),
        ("internal_error", "error_500_internal"),
        ("utf8_database", "error_500_utf8_database"),
        ("rate_limit_unavailable", "error_503_rate_limit_unavailable"),
        ("no_available_channel", "error_503_no_available_channel"),
    ],
)
async def test_refusals_by_fault(running, check, sample, name, sample_name):
    """Each known refusal can be had on demand, with the status and the shape of its sample."""
    async with running(faults=(Fault(where="submit", what=Refuse(reply=name)),)) as (_, caller):
        status, _, document = await caller.call(
            "POST", "/v1/images/generations", json={"model": "gpt-4o-image", "prompt": "p"}
        )

        assert status == REFUSALS[name].http_status == int(sample_name.split("_")[1])
        check(sample_name, document)
        assert document.get("code") == sample(sample_name).get("code")


@pytest.mark.parametrize("name", ["raw_504_html_volc_dcdn", "raw_502_html", "raw_503_plain_text"])
async def test_pages_by_fault(running, sample, name):
    """Replies that are no JSON come word for word."""
    recorded = sample(name)
    reply = {"raw_504_html_volc_dcdn": "html_504", "raw_502_html": "html_502", "raw_503_plain_text": "plain_503"}[name]
    async with running(faults=(Fault(where="submit", what=Refuse(reply=reply)),)) as (_, caller):
        status, headers, body = await caller.call("POST", "/v1/images/generations", json={})

        assert status == recorded["status"]
        assert headers["Content-Type"] == recorded["headers"]["content-type"]
        assert body.decode() == recorded["body_text"]


async def test_refusals_by_themselves(running, check):
    """What the simulator refuses without being told has the documented shape too."""
    post = {"method": "POST", "path": "/v1/images/generations"}
    good = {"model": "gpt-4o-image", "prompt": "p"}
    async with running(balance_usd=0) as (_, caller):
        expected = [
            ("error_401_new_api_missing_token", 401, {**post, "json": good, "key": False}),
            ("error_401_unauthorized", 401, {**post, "headers": {"Authorization": "Bearer x"}, "key": False}),
            ("error_400_prompt_required", 400, {**post, "json": {"model": "gpt-4o-image"}}),
            ("error_402_payment_required", 402, {**post, "json": good}),
            ("error_500_utf8_database", 500, {**post, "data": b'{"prompt": "\xa1\xaa"}'}),
            ("error_404_task_not_found", 404, {"method": "GET", "path": "/v1/images/generations/none"}),
            ("error_404_invalid_url_double_v1", 404, {**post, "path": "/v1/v1/images/generations"}),
            ("error_401_numeric", 401, {"method": "GET", "path": "/balance", "key": False}),
        ]
        for name, status, call in expected:
            got, _, document = await caller.call(**call)
            assert got == status, name
            check(name, document)


async def test_webhooks(running, check, receiver):
    """The body of a delivery, for a completed and for a failed task."""
    scenario = Scenario(files="small", faults=(Fault(where="task", what=Fail(), match="broken"),))
    async with running(scenario) as (sim, caller), receiver() as received:
        sim.set_webhook(received.url)
        for prompt, name in (("fine", "webhook_generation_completed"), ("broken", "webhook_generation_failed")):
            await caller.submit(prompt, client_business_id=prompt)
            sim.clock.advance(2)
            check(name, (await received.next()).document)
