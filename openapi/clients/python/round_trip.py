"""The round trip of ../round-trip.txt with openapi-python-client.

Generated, checked and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from samphan_client import AuthenticatedClient, Client
from samphan_client.api.accounts import batch_accounts, create_account, get_account, list_accounts, update_account
from samphan_client.api.auth import sign_in
from samphan_client.api.orders import confirm_order, create_order, submit_order
from samphan_client.api.products import create_product
from samphan_client.models import (
    Account,
    AccountBatch,
    AccountBatchItem,
    AccountPatch,
    AccountInput,
    OrderInput,
    OrderLineInput,
    ProductInput,
    Problem,
    SignIn,
)
from samphan_client.types import Response, UNSET

T = TypeVar("T")
base_url, email, password = sys.argv[1:]
name = f"ทดสอบ & round trip {uuid4()}"


def say(step: str, *values: object) -> None:
    """The line of a step."""
    print(step, *(json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in values))


def answer(value: T | Problem | None) -> T:
    """What a call answered."""
    assert value is not None and not isinstance(value, Problem), value
    return value


def problem(value: object) -> Problem:
    """The problem a call was refused with."""
    assert isinstance(value, Problem), value
    return value


tokens = answer(sign_in.sync(client=Client(base_url), body=SignIn(email=email, password=password)))
client = AuthenticatedClient(base_url, token=tokens.access_token)
say("sign-in", tokens.token_type)


def create() -> Response[Account | Problem]:
    """Another account of that name."""
    return create_account.sync_detailed(client=client, body=AccountInput(name=name, tags=["round_trip"]))


creation = create()
account = answer(creation.parsed)
recent = abs(datetime.now(UTC) - account.created_at) < timedelta(hours=1)
say("create", account.version, account.legal_name, account.is_vip, account.tags, account.name == name, recent)

made = [account.id, answer(create().parsed).id, answer(create().parsed).id]
sizes: list[int] = []
ids: list[UUID] = []
cursor: str | None = None
while True:
    page = answer(list_accounts.sync(client=client, name=name, sort="-created_at", limit=2, cursor=cursor or UNSET))
    sizes.append(len(page.data))
    ids += [a.id for a in page.data]
    cursor = page.next_cursor
    if not page.has_more:
        break
say("list", sizes, ids == made[::-1], cursor)

patch = AccountPatch(legal_name="บริษัท สยาม จำกัด")
named = answer(update_account.sync(account.id, client=client, body=patch, if_match=creation.headers["ETag"]))
cleared = answer(update_account.sync(account.id, client=client, body=AccountPatch(legal_name=None), if_match='"2"'))
say("update", named.version, named.legal_name, cleared.version, cleared.legal_name, cleared.name == name, cleared.tags)

conflict = update_account.sync_detailed(account.id, client=client, body=AccountPatch(name="Too late"), if_match='"1"')
say("conflict", conflict.status_code, problem(conflict.parsed).status, problem(conflict.parsed).code)

items = [AccountBatchItem(name=name), AccountBatchItem(name=name, parent_id=uuid4())]
batch = answer(batch_accounts.sync(client=client, body=AccountBatch(mode="create", items=items)))
first, second = batch.results
fault = problem(second.error)
say(
    "batch", [first.status, second.status], first.id is not None, fault.code, fault.errors[0].pointer,
    batch.summary.created, batch.summary.failed,
)  # fmt: skip

sku = str(uuid4())
answer(create_product.sync(client=client, body=ProductInput(sku=sku, name=name, kind="service", unit="hour")))
line = OrderLineInput(sku=sku, quantity="3", unit_price="1234.50", discount_percent="10")
body = OrderInput(account_id=account.id, currency="THB", channel="web", lines=[line])
draft = answer(create_order.sync(client=client, body=body))
submitted = answer(submit_order.sync(draft.id, client=client))
order = answer(confirm_order.sync(draft.id, client=client))
say(
    "order", [draft.status, submitted.status, order.status], order.channel, order.lines[0].net_amount,
    order.lines[0].is_service, order.total_amount, order.requested_on,
)  # fmt: skip

refused = submit_order.sync_detailed(draft.id, client=client)
say("refused", refused.status_code, problem(refused.parsed).code, problem(refused.parsed).allowed)

unknown = get_account.sync_detailed(uuid4(), client=client)
say("unknown", unknown.status_code, problem(unknown.parsed).code)
