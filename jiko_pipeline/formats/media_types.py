"""Whether a document was sent as what it is.

Belongs here: comparing the media type that came with a body with the body. Does not belong here: telling what a body
is (`delimited.strict`, `readers`); a media type is never trusted, it is only worth a word when it is wrong.
"""

from typing import Final

from jiko_pipeline.formats.delimited.strict import other_than_csv
from jiko_pipeline.formats.reading import Finding, Severity

_FORMS: Final = ("csv", "json", "html", "pdf", "xml")
_WORDS: Final = {None: "CSV", "XML or HTML": "XML", "JSON": "JSON", "a PDF": "PDF"}


def media_type_finding(media_type: str, body: bytes) -> Finding | None:
    """A MEDIA_TYPE finding when `media_type` names another form than a body that could be read; else None.

    Types that name no form (`text/plain`, `application/octet-stream`, none at all) say nothing and are passed over.
    """
    named = next((form for form in _FORMS if form in media_type.lower()), None)
    what = _WORDS.get(other_than_csv(body))
    if named is None or what is None or named == what.lower():
        return None
    return Finding("MEDIA_TYPE", Severity.WARNING, f"The document was sent as {named.upper()} and is {what}.")
