"""What a submission meets."""

from decimal import Decimal

import pytest

from toapis_async.testing import Fail, Fault, Stall

GOOD = {"model": "gpt-image-2", "prompt": "a fox"}
PATH = "/v1/images/generations"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"prompt": " "}, "prompt"),
        ({"n": "2"}, "n"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"size": "16×9"}, "size"),
        ({"size": "large"}, "size"),
        ({"size": 1024}, "size"),
        ({"resolution": "huge"}, "resolution"),
        ({"metadata": {"resolution": 2}}, "resolution"),
        ({"metadata": []}, "metadata"),
        ({"duration": "5"}, "duration"),
        ({"client_business_id": "x" * 129}, "client_business_id"),
        ({"model": "sora-2"}, "model"),
        ({"image_urls": ["http://192.168.1.2/a.png"]}, "image_urls"),
        ({"image_urls": ["http://localhost:1/a.png"]}, "image_urls"),
    ],
)
async def test_wrong_fields_are_refused_by_name(running, fields, param):
    """400, the documented envelope, the field in ``param``, and nothing charged."""
    async with running() as (sim, caller):
        status, _, document = await caller.call("POST", PATH, json={**GOOD, **fields})

        assert (status, document["error"]["type"]) == (400, "invalid_request_error")
        assert (document["error"]["param"], sim.books.charged_usd) == (param, 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image_urls": ["data:image/png;base64,AAAA"]}, "base64 image is not allowed"),
        ({"reference_images": [{"url": "iVBORw0KGgo"}]}, "base64 image is not allowed"),
        (
            {"image_urls": ["https://a.example/1.png"], "image_with_roles": [{"url": "https://a.example/2.png"}]},
            "image_urls cannot be used together with image_with_roles",
        ),
    ],
)
async def test_references_are_addresses(running, fields, message):
    """Data URLs and bare base64 are refused in the words of the gateway."""
    async with running() as (_, caller):
        status, _, document = await caller.call("POST", PATH, json={**GOOD, **fields})

        assert (status, document["error"]["message"]) == (400, message)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": "1024x1024"},
        {"size": "auto"},
        {"resolution": "0.5K"},
        {"metadata": {"resolution": "4K"}},
        {"image_urls": ["https://a.example/1.png", {"url": "https://a.example/2.png"}]},
        {"reference_images": ["asset://pa_1"]},
        {"n": 4},
        {"model": "nano-banana-pro"},
    ],
)
async def test_documented_forms_are_taken(running, fields):
    """Strings and objects, ratios and pixels, either place of the resolution, other spellings of an id."""
    async with running() as (_, caller):
        assert (await caller.call("POST", PATH, json={**GOOD, **fields}))[0] == 200


async def test_an_upload_can_be_referred_to_while_it_is_kept(running, form):
    """One upload serves many requests, until the gateway has forgotten it."""
    async with running() as (sim, caller):
        content = b"\xff\xd8\xff" + bytes(50)
        _, _, document = await caller.call("POST", "/v1/uploads/images", data=form(content))
        fields = {"image_urls": [document["data"]["url"]]}
        assert (await caller.call("POST", PATH, json={**GOOD, **fields}))[0] == 200
        assert sim.books.bytes_uploaded == len(content)

        sim.forget_uploads()

        assert (await caller.call("POST", PATH, json={**GOOD, **fields}))[0] == 400


async def test_an_upload_without_a_file_is_refused(running, form):
    """A JSON body or another field is no upload."""
    async with running() as (_, caller):
        for more in ({"json": {}}, {"data": form(b"x", name="image")}):
            status, _, document = await caller.call("POST", "/v1/uploads/images", **more)
            assert (status, document["success"]) == (400, False)


@pytest.mark.parametrize("path", [PATH, "/v1/images/edits"])
async def test_edits_take_json_and_forms(running, path):
    """A form's fields are texts; ``n`` counts all the same."""
    import aiohttp

    async with running() as (sim, caller):
        form = aiohttp.FormData(
            {"model": "gpt-image-2.5-flare-vip", "prompt": "p", "n": "2"}, default_to_multipart=True
        )
        assert (await caller.call("POST", path, data=form))[0] == 200
        assert (await caller.call("POST", path, json=GOOD))[0] == 200

        assert sim.books.accepted == 2


async def test_money_moves_by_n_and_resolution_and_comes_back(running):
    """Charged at the submission, refunded when the task fails."""
    faults = (Fault(where="task", what=Fail(), match="broken"),)
    async with running(faults=faults, balance_usd="0.10") as (sim, caller):
        await caller.submit(model="gpt-image-2", resolution="2k", n=2)
        await caller.submit("broken", model="gemini-2.5-flash-image-preview")
        assert sim.account.balance_usd == Decimal("0.048")

        sim.clock.advance(2)

        assert (sim.books.charged_usd, sim.books.refunded_usd) == (Decimal("0.052"), Decimal("0.012"))
        assert (sim.books.net_usd, sim.account.balance_usd) == (Decimal("0.040"), Decimal("0.060"))
        entry = sim.books.by_prompt["broken"]
        assert (entry.charges, entry.refunds, entry.net_charges) == (1, 1, 0)
        assert (sim.books.completed, sim.books.failed) == (1, 1)


async def test_an_empty_balance_refuses(running):
    """402, and nothing is made."""
    async with running(balance_usd="0.02") as (sim, caller):
        assert (await caller.call("POST", PATH, json=GOOD))[0] == 200
        assert (await caller.call("POST", PATH, json=GOOD))[0] == 402
        assert sim.books.accepted == 1


async def test_unrouted_models_answer_503(running):
    """A listed id that no channel serves."""
    async with running(unrouted_models=("gpt-image-2",)) as (_, caller):
        status, _, document = await caller.call("POST", PATH, json=GOOD)

        assert (status, document["error"]["code"]) == (503, "model_not_found")


async def test_the_reference_is_echoed_and_found_after_the_lag(running):
    """From the top level or from metadata; a lookup too early is a 404."""
    async with running(lookup_lag=2) as (sim, caller):
        made = await caller.submit(metadata={"client_business_id": "a/b c"})
        assert made["client_business_id"] == "a/b c"
        path = f"{PATH}/a%2Fb%20c"
        assert (await caller.call("GET", path))[0] == 404
        assert (await caller.look(made["id"]))["id"] == made["id"]

        sim.clock.advance(2)

        assert (await caller.call("GET", path))[2]["id"] == made["id"]
        assert (sim.books.lookups, sim.books.polls) == (2, 1)


async def test_a_gateway_may_ignore_references(running):
    """Neither echoed nor found."""
    async with running(keeps_client_ids=False) as (sim, caller):
        made = await caller.submit(client_business_id="mine")
        sim.clock.advance(10)

        assert "client_business_id" not in made
        assert "client_business_id" not in await caller.look(made["id"])
        assert (await caller.call("GET", f"{PATH}/mine"))[0] == 404
        assert sim.books.by_client_business_id["mine"].accepted == 1


async def test_a_reference_sent_twice_makes_two_tasks(running):
    """Nothing is deduplicated; the books show the duplicate."""
    async with running() as (sim, caller):
        for _ in range(2):
            await caller.submit("a fox", client_business_id="mine")

        assert sim.books.duplicates == {"a fox": 2}


async def test_an_image_task_is_no_video_task(running):
    """Each kind is looked up at its own path."""
    async with running() as (_, caller):
        made = await caller.submit()

        assert (await caller.call("GET", f"/v1/videos/generations/{made['id']}"))[0] == 404


async def test_a_remix_needs_its_video(running):
    """404 for a video that is not there."""
    async with running() as (_, caller):
        assert (await caller.call("POST", "/v1/videos/none/remix", json={"prompt": "p"}))[0] == 404


async def test_some_tasks_never_end(running):
    """They stay where they are and count as unfinished."""
    async with running(faults=(Fault(where="task", what=Stall(seconds=float("inf"))),)) as (sim, caller):
        made = await caller.submit()
        sim.clock.advance(1e7)

        assert (await caller.look(made["id"]))["status"] == "pending"
        assert sim.books.unfinished == 1


async def test_progress_moves_in_steps_of_five(running):
    """From the third word on; a single word shows none."""
    from toapis_async.testing import Constant

    async with running(latency=Constant(100)) as (sim, caller):
        made, seen = await caller.submit(), []
        for _ in range(10):
            sim.clock.advance(9.9)
            task = await caller.look(made["id"])
            seen.append((task["status"], task["progress"]))

        assert seen[:5] == [("pending", 0)] * 2 + [("queued", 0)] * 3
        assert [progress for _, progress in seen[5:]] == [55, 65, 75, 85, 95]


async def test_the_same_seed_makes_the_same_tasks(running):
    """Durations do not depend on the order in which prompts arrive."""
    from toapis_async.testing import LogNormal

    async def durations(prompts, seed):
        async with running(latency=LogNormal(10), seed=seed) as (sim, caller):
            for prompt in prompts:
                await caller.submit(prompt)
            return {task.prompt: round(task.ends_at - task.accepted_at, 3) for task in sim.gateway.tasks.values()}

    assert await durations("abc", 1) == await durations("cba", 1)
    assert await durations("abc", 1) != await durations("abc", 2)


CHAT = [f"/v1/{path}" for path in ("chat/completions", "responses", "messages")]


@pytest.mark.parametrize("path", CHAT)
@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("gemini-2.5-flash-image-preview", 400, "invalid apitype: -1"),
        ("sora-2", 400, "invalid apitype: -1"),
        ("gpt-5", 501, "text models do not talk here"),
        ("gpt-7", 503, "ChannelCapability"),
        (None, 400, "'model' field is required"),
    ],
)
async def test_chat_endpoints_do_not_talk(running, path, model, status, words):
    """Media models have no chat, text models are not simulated, and the rest is not routed."""
    async with running() as (_, caller):
        got, _, document = await caller.call("POST", path, json={"model": model, "messages": []})

        assert (got, words in document["error"]["message"]) == (status, True)


@pytest.mark.parametrize("path", CHAT)
async def test_chat_endpoints_want_a_key_first(running, path):
    """401 before anything else is looked at."""
    async with running() as (_, caller):
        assert (await caller.call("POST", path, key=False, data=b"x"))[0] == 401
        assert (await caller.call("POST", path, key=False, headers={"Authorization": "Bearer sk-x"}))[0] == 401
        assert (await caller.call("POST", path, data=b"x"))[0] == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "grok-video-3", "images": ["http://10.0.0.1/a.png"]},
        {"model": "kling-v3-omni", "video_list": [{"video_url": "http://10.0.0.1/a.mp4"}]},
        {"model": "kling-v3-omni", "metadata": {"image_list": [{"image_url": "http://10.0.0.1/a.png"}]}},
        {"model": "wan2.6", "metadata": {"reference_urls": ["http://10.0.0.1/a.mp4"]}},
        {"model": "seedance-2", "image_with_roles": [{"url": "data:image/png;base64,x", "role": "first_frame"}]},
    ],
)
async def test_references_are_looked_at_wherever_a_model_takes_them(running, fields):
    """In lists of objects and in metadata too."""
    async with running() as (_, caller):
        assert (await caller.call("POST", "/v1/videos/generations", json={"prompt": "p", **fields}))[0] == 400


async def test_some_models_need_no_prompt_beside_a_reference(running):
    """The others do, and so do these without one."""
    shown = {"image_with_roles": [{"url": "https://a.example/1.png", "role": "first_frame"}]}
    async with running() as (_, caller):
        for fields, expected in (
            ({"model": "seedance-2", **shown}, 200),
            ({"model": "seedance-2"}, 400),
            ({"model": "kling-v3", **shown}, 400),
            ({"model": "wan2.6", "metadata": {"reference_urls": ["https://a.example/1.mp4"]}}, 200),
        ):
            assert (await caller.call("POST", "/v1/videos/generations", json=fields))[0] == expected, fields


@pytest.mark.parametrize("model", ["some-model-of-tomorrow", "gpt-5", "GPT-IMAGE-2"])
@pytest.mark.parametrize("path", [PATH, "/v1/videos/generations"])
async def test_an_unknown_model_is_not_routed(running, path, model):
    """503, as the gateway says of an id without a channel; nothing is charged."""
    async with running() as (sim, caller):
        status, _, document = await caller.call("POST", path, json={**GOOD, "model": model})

        assert (status, document["error"]["code"], sim.books.accepted) == (503, "model_not_found", 0)


async def test_further_models_can_be_routed(running):
    """A scenario can know tomorrow's ids."""
    async with running(extra_models=("some-model-of-tomorrow",)) as (_, caller):
        assert (await caller.submit(model="some-model-of-tomorrow"))["model"] == "some-model-of-tomorrow"


async def test_a_new_token_is_a_key_of_the_same_user(running):
    """It opens the same account."""
    async with running() as (_, caller):
        made = await caller.submit()
        _, _, document = await caller.call("POST", "/v1/tokens", json={"name": "other", "remain_quota": 1_000_000})
        headers = {"Authorization": f"Bearer sk-{document['data']['key']}"}

        status, _, _ = await caller.call("GET", f"{PATH}/{made['id']}", key=False, headers=headers)

        assert (status, document["data"]["remain_credits"]) == (200, 400)
        assert (await caller.call("POST", "/v1/tokens", data=b"x"))[0] == 400
        assert (await caller.call("POST", "/v1/tokens", json={}, key=False))[0] == 401


async def test_a_file_in_an_edit_form_is_refused(running, form):
    """``image`` is an address there, no file."""
    async with running() as (_, caller):
        assert (await caller.call("POST", "/v1/images/edits", data=form(b"\x89PNG", name="image")))[0] == 400


async def test_a_status_query_needs_the_key(running):
    """401 before anything is told."""
    async with running() as (_, caller):
        made = await caller.submit()

        assert (await caller.call("GET", f"{PATH}/{made['id']}", key=False))[0] == 401


@pytest.mark.parametrize("place", ["top_level", "video_url", "data", "output", "metadata"])
async def test_addresses_can_stand_elsewhere(running, place):
    """Every place in which addresses were seen, by the scenario's names for them."""
    async with running(url_place=place) as (sim, caller):
        task = await caller.made()

        assert "result" not in task
        assert sim.base_url in str(task)


async def test_billing_can_be_left_out(running):
    """Not every model says what it cost."""
    async with running(billing="never") as (_, caller):
        assert "billing" not in await caller.made()


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
    ],
)
async def test_uploads_are_typed_by_signature(running, form, head, mime):
    """Whatever the name says."""
    async with running() as (_, caller):
        path = f"/v1/uploads/{mime.partition('/')[0]}s"

        _, _, document = await caller.call("POST", path, data=form(head + bytes(20)))

        assert document["data"]["mime_type"] == mime
