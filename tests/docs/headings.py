"""The headings of a page, as GitHub and the site name them in links."""

import re


def slug(heading):
    """How a link names a heading: lower case, words joined by hyphens, without other signs."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors_of(path):
    """Every name by which a link can lead into a Markdown page."""
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {slug(heading) for heading in re.findall(r"^#{1,6} +(.+?) *$", text, re.MULTILINE)}
