"""What schemathesis is told of this API besides its document.

Nothing here hides a server error, an answer the document does not have, or bad data that was accepted.
"""

import itertools
import os
import re

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# The caller's own key, role and maker: who deletes what he stands on learns nothing more.
OWN = os.environ["FUZZ_OWN"].split()

# Codes with which data that fits the schema may be refused, where, and why the schema cannot say so.
BEYOND_THE_SCHEMA = [
    # One schema of the filter language serves all resources, flat because generators drop unions that contain themselves: which
    # fields, operators and values there are depends on the resource. As a query parameter it is JSON in a string.
    ("/filter.*|[?]filter", "malformed_filter|malformed_json|unknown_.*|wrong_type|null_not_allowed|too_.*|invalid_.*|out_of_range"),
    # Cursors are opaque: none can be made up, and the document's example is none.
    ("", "invalid_cursor"),
    ("/after", "invalid_format"),
    # Names separated by commas, of fields, sort keys, references and values, each of its own type.
    ("[?].*", "unknown_field|unknown_sort_key|unknown_value|sort_key_must_be_first|repeated|wrong_type|invalid_.*|out_of_range|too_many_.*|time_without_offset"),
    # What a record points at must be there.
    (".*", "unknown_reference|unknown_external_id"),
    # Whoever gets records must be able to look after them.
    (".*/owner_id|/hand_over_to", "inactive_user"),
    ("/keep", "ambiguous"),
    # Fifteen digits fit the pattern, not all of them the range; days and moments lie between 1900 and 2200.
    (".*", "out_of_range|invalid_date"),
    # Which systems, companies and currencies there are, and whether a resource has names in other systems at all.
    ("/match_on|.*/(entity|system|currency)", "unknown_value"),
    # Exactly one of several names of the same thing: as a union it would break the clients of some languages.
    (".*", "ambiguous_key"),
    # Rules across fields and records: who is above whom, what may stand beside what, what is before what, what a caller may give.
    (".*", "refers_to_itself|circular|not_allowed|repeated|beyond_own_rights|wrong_password|weak_password|before_start|in_past|as_of_in_future|ahead_of_feed"),
    # What is sold, for how much, and where it is.
    (".*", "not_of_price_book|other_currency|no_price|no_price_book|discontinued|unknown_tax_code|nothing_there|shipped|too_much|insufficient_stock"),
    (".*", "not_stocked|not_active|not_for_sale|closed"),
    (".*/(product_id|sku|lot_no|serial_no)", "required"),
    # Sums that must be those of what was sent before.
    (".*", "control_total_mismatch|same_as_of_different_values|ambiguous_limit|nothing_named"),
    # Lists and grammars that are kept elsewhere: time zones, branch codes, addresses, and which of them are public.
    (".*", "unknown_time_zone|unknown_currency|invalid_branch_code|address_not_allowed"),
    ("/url|/website", "invalid_format"),
    # What the organisation itself defines: custom fields, picklists, resources that have them, types of events.
    (".*/custom/.*", "unknown_field|unknown_value|wrong_type|too_long|too_many_decimals|invalid_.*|time_without_offset"),
    X,
    # The length of the names in a map: what a schema says of those is lost in OpenAPI 3.0.
    (".*_translations", "too_long"),
    # Durations of weeks, days, hours, minutes and seconds, of which at least one must be there.
    (".*", "invalid_duration"),
    # `x-visible`: characters nobody sees, which the patterns of some languages cannot name.
    (".*", "invisible_character"),
    # A text without `x-multiline` is one line; an external id in a path, too.
    (".*", "not_one_line"),
    # Permissions: what operations ask for, and `*` in their places.
    ("/scopes/[0-9]+", "unknown_value"),
    # Check digits and numbering plans.
    (".*/tax_id", "invalid_tax_id"),
    (".*/raw", "invalid_phone|invalid_email"),
    # An item of a batch is the key and the fields of every mode: what a create needs, an update leaves out or clears.
    ("/items/[0-9]+/.*", "required|null_not_allowed"),
]

numbers = itertools.count(1)


@schemathesis.hook
def filter_case(context, case):
    sent = f"{case.path_parameters} {case.body}"
    return not any(own in sent for own in OWN)


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    # A delete that is only tried deletes nothing; in stories it would pass for one.
    if case.method == "DELETE":
        (case.query or {}).pop("dry_run", None)
    # The same key with another body is refused, as it should be, and would be all that is tested.
    if re.fullmatch("[!-~]{1,255}", headers.get("Idempotency-Key") or ""):
        headers["Idempotency-Key"] = f"fuzz-{os.getpid()}-{next(numbers)}"
    # The edges it tries of headers that hold ETags do not fit their patterns.
    if case.meta.generation.mode.is_positive:
        if "If-Match" in headers and not re.fullmatch(r'\*|(W/)?"[0-9]{1,18}"', headers["If-Match"]):
            headers["If-Match"] = '"0"'
        if "If-None-Match" in headers and case.method == "PUT":
            headers["If-None-Match"] = "*"


def said(response):
    try:
        return response.json()
    except ValueError:
        return {}


def faults(problem):
    """The place and code of each fault; of a refusal that names none its code alone."""
    named = [(fault["pointer"], fault["code"]) for fault in problem.get("errors", [])]
    return named or [("", problem.get("code", ""))]


def is_beyond_the_schema(place, code):
    return any(re.fullmatch(places, place, re.DOTALL) and re.fullmatch(codes, code) for places, codes in BEYOND_THE_SCHEMA)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # The HTTP library refuses an address of more than 64 KB before anything of ours sees it.
    if len(response.request.url) > 65_000 and response.status_code == 400 and not response.content:
        return False
    # A batch refuses each bad item in a result of its own.
    if isinstance(failure, AcceptedNegativeData):
        return not any(result.get("error") for result in said(response).get("results", []))
    if isinstance(failure, RejectedPositiveData):
        return not all(is_beyond_the_schema(*fault) for fault in faults(said(response)))
    return True
