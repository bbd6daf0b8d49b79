"""A round trip with the generated Python client: what an integrator does in the first hour.

Generated, checked and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
"""

import sys
from http import HTTPStatus
from uuid import uuid4

from samphan_client import AuthenticatedClient, Client
from samphan_client.api.accounts import batch_accounts, create_account, list_accounts, update_account
from samphan_client.api.auth import sign_in
from samphan_client.models import (
    Account,
    AccountBatch,
    AccountPage,
    AccountPatch,
    BatchResults,
    NewAccount,
    Problem,
    SignIn,
    Tokens,
)

base_url, email, password = sys.argv[1:]
steps = 0

# 1 sign in
tokens = sign_in.sync(client=Client(base_url), body=SignIn(email=email, password=password))
assert isinstance(tokens, Tokens), tokens
assert tokens.token_type == "Bearer"
assert tokens.access_token and tokens.refresh_token and tokens.expires_in > 0
client = AuthenticatedClient(base_url, token=tokens.access_token)
steps += 1

# 2 create
name = f"Python round trip {uuid4()}"
creation = create_account.sync_detailed(client=client, body=NewAccount(name=name, tags=["round_trip"]))
account = creation.parsed
assert isinstance(account, Account), account
assert creation.status_code == HTTPStatus.CREATED
assert creation.headers["ETag"] == '"1"'
assert account.version == 1
assert account.name == name
assert account.legal_name is None
assert account.is_vip is False
assert account.tags == ["round_trip"]
assert account.created_at.tzinfo is not None
steps += 1

# 3 list
page = list_accounts.sync(client=client, limit=5, sort="-created_at")
assert isinstance(page, AccountPage), page
assert 1 <= len(page.data) <= 5
assert any(a.id == account.id for a in page.data), "the new account is on the first page"
assert page.has_more == (page.next_cursor is not None)
steps += 1

# 4 update: set a field, then clear it with null
named = update_account.sync(
    account.id, client=client, body=AccountPatch(legal_name="บริษัท สยาม จำกัด"), if_match='"1"'
)
assert isinstance(named, Account), named
assert named.version == 2
assert named.legal_name == "บริษัท สยาม จำกัด"
cleared = update_account.sync(account.id, client=client, body=AccountPatch(legal_name=None), if_match='"2"')
assert isinstance(cleared, Account), cleared
assert cleared.version == 3
assert cleared.legal_name is None
assert cleared.name == name, "what a patch leaves out stays"
assert cleared.tags == ["round_trip"]
steps += 1

# 5 conflict
conflict = update_account.sync_detailed(account.id, client=client, body=AccountPatch(name="Too late"), if_match='"1"')
assert conflict.status_code == HTTPStatus.PRECONDITION_FAILED
problem = conflict.parsed
assert isinstance(problem, Problem), problem
assert problem.code == "version_conflict"
assert problem.status == 412
steps += 1

# 6 batch
batch = batch_accounts.sync(
    client=client, body=AccountBatch.from_dict({"mode": "create", "items": [{"name": "A"}, {"name": ""}]})
)
assert isinstance(batch, BatchResults), batch
first, second = batch.results
assert first.status == "created"
assert first.id and not first.error
assert second.status == "failed"
assert isinstance(second.error, Problem)
assert second.error.code == "validation_failed"
assert batch.summary.created == 1
assert batch.summary.failed == 1
steps += 1

print(f"python: {steps} steps passed")
