// The round trip of ../round-trip.txt with @hey-api/openapi-ts. Generated, compiled and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
import { client } from "./client/client.gen.js";
import {
  batchAccounts, confirmOrder, createAccount, createOrder, createProduct, getAccount, listAccounts, signIn, submitOrder, updateAccount,
} from "./client/sdk.gen.js";
import type { AccountPage, AccountPatch, Problem } from "./client/types.gen.js";

type Result<T> = { data: T | undefined; error: unknown; response?: Response };

const [baseUrl, email, password] = process.argv.slice(2) as [string, string, string];
client.setConfig({ baseUrl });
const name = `ทดสอบ & round trip ${crypto.randomUUID()}`;

const say = (step: string, ...values: unknown[]) => console.log([step, ...values.map((v) => JSON.stringify(v))].join(" "));

/** What a call answered; throws the problem it was refused with. */
function answer<T>({ data, error }: Result<T>): T {
  if (data === undefined) throw new Error(`refused: ${JSON.stringify(error)}`);
  return data;
}

/** The problem a call was refused with. */
function problem({ error }: { error: Problem | undefined }): Problem {
  if (error === undefined) throw new Error("not refused");
  return error;
}

const tokens = answer(await signIn({ body: { email, password } }));
client.setConfig({ auth: tokens.access_token });
say("sign-in", tokens.token_type);

const create = () => createAccount({ body: { name, tags: ["round_trip"] } });
const creation = await create();
const account = answer(creation);
const recent = Math.abs(Date.now() - Date.parse(account.created_at)) < 3_600_000;
say("create", account.version, account.legal_name, account.is_vip, account.tags, account.name === name, recent);

const made = [account.id, answer(await create()).id, answer(await create()).id];
const [sizes, ids]: [number[], string[]] = [[], []];
let cursor: string | null = null;
let more = true;
while (more) {
  const query = { name, sort: "-created_at", limit: 2, ...(cursor === null ? {} : { cursor }) };
  const page: AccountPage = answer(await listAccounts({ query }));
  sizes.push(page.data.length);
  ids.push(...page.data.map((a) => a.id));
  cursor = page.next_cursor;
  more = page.has_more;
}
say("list", sizes, ids.join() === made.reverse().join(), cursor);

const update = (body: AccountPatch, version: string) =>
  updateAccount({ path: { id: account.id }, headers: { "If-Match": version }, body });
const named = answer(await update({ legal_name: "บริษัท สยาม จำกัด" }, creation.response?.headers.get("ETag") ?? "none"));
const cleared = answer(await update({ legal_name: null }, '"2"'));
say("update", named.version, named.legal_name, cleared.version, cleared.legal_name, cleared.name === name, cleared.tags);

const conflict = await update({ name: "Too late" }, '"1"');
say("conflict", conflict.response?.status, problem(conflict).status, problem(conflict).code);

const items = [{ name }, { name, parent_id: crypto.randomUUID() }];
const batch = answer(await batchAccounts({ body: { mode: "create", items } }));
const [first, second] = batch.results;
say(
  "batch", batch.results.map((r) => r.status), first?.id != null, second?.error?.code, second?.error?.errors[0]?.pointer,
  batch.summary.created, batch.summary.failed,
);

const sku = crypto.randomUUID();
answer(await createProduct({ body: { sku, name, kind: "service", unit: "hour" } }));
const lines = [{ sku, quantity: "3", unit_price: "1234.50", discount_percent: "10" }];
const draft = answer(await createOrder({ body: { account_id: account.id, currency: "THB", channel: "web", lines } }));
const path = { id: draft.id };
const submitted = answer(await submitOrder({ path }));
const order = answer(await confirmOrder({ path }));
say(
  "order", [draft.status, submitted.status, order.status], order.channel, order.lines[0]?.net_amount, order.lines[0]?.is_service,
  order.total_amount, order.requested_on,
);

const refused = await submitOrder({ path });
say("refused", refused.response?.status, problem(refused).code, problem(refused).allowed);

const unknown = await getAccount({ path: { id: crypto.randomUUID() } });
say("unknown", unknown.response?.status, problem(unknown).code);
