// The round trip of ../round-trip.txt with orval. Generated, compiled and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
import { batchAccounts, createAccount, getAccount, listAccounts, updateAccount } from "./client/accounts/accounts";
import { signIn } from "./client/auth/auth";
import type { AccountPage, AccountPatch, Problem } from "./client/model";
import { confirmOrder, createOrder, submitOrder } from "./client/orders/orders";
import { createProduct } from "./client/products/products";
import { configure } from "./fetcher";

type Answer = { data: unknown; status: number };
type Success<T extends Answer> = Extract<T, { status: 200 | 201 }>;

const [baseUrl, email, password] = process.argv.slice(2) as [string, string, string];
const name = `ทดสอบ & round trip ${crypto.randomUUID()}`;

const say = (step: string, ...values: unknown[]) => console.log([step, ...values.map((v) => JSON.stringify(v))].join(" "));

/** What a call answered; throws the problem it was refused with. */
function answer<T extends Answer>(call: T): Success<T>["data"] {
  if (call.status >= 300) throw new Error(`refused: ${JSON.stringify(call.data)}`);
  return (call as Success<T>).data;
}

/** The problem a call was refused with. */
function problem(call: Answer): Problem {
  if (call.status < 300) throw new Error("not refused");
  return call.data as Problem;
}

async function main(): Promise<void> {
  configure(baseUrl);
  const tokens = answer(await signIn({ email, password }));
  configure(baseUrl, tokens.access_token);
  say("sign-in", tokens.token_type);

  const create = () => createAccount({ name, tags: ["round_trip"] });
  const creation = await create();
  const account = answer(creation);
  const recent = Math.abs(Date.now() - Date.parse(account.created_at)) < 3_600_000;
  say("create", account.version, account.legal_name, account.is_vip, account.tags, account.name === name, recent);

  const made = [account.id, answer(await create()).id, answer(await create()).id];
  const [sizes, ids]: [number[], string[]] = [[], []];
  let cursor: string | null = null;
  let more = true;
  while (more) {
    const query: Parameters<typeof listAccounts>[0] = { name, sort: "-created_at", limit: 2, ...(cursor === null ? {} : { cursor }) };
    const page: AccountPage = answer(await listAccounts(query));
    sizes.push(page.data.length);
    ids.push(...page.data.map((a) => a.id));
    cursor = page.next_cursor;
    more = page.has_more;
  }
  say("list", sizes, ids.join() === made.reverse().join(), cursor);

  const update = (body: AccountPatch, version: string) => updateAccount(account.id, body, {}, { headers: { "If-Match": version } });
  const tag = (creation as unknown as { headers: Headers }).headers.get("ETag") ?? "none";
  const named = answer(await update({ legal_name: "บริษัท สยาม จำกัด" }, tag));
  const cleared = answer(await update({ legal_name: null }, '"2"'));
  say("update", named.version, named.legal_name, cleared.version, cleared.legal_name, cleared.name === name, cleared.tags);

  const conflict = await update({ name: "Too late" }, '"1"');
  say("conflict", conflict.status, problem(conflict).status, problem(conflict).code);

  const items = [{ name }, { name, parent_id: crypto.randomUUID() }];
  const batch = answer(await batchAccounts({ mode: "create", items }));
  const [first, second] = batch.results;
  say(
    "batch", batch.results.map((r) => r.status), first?.id != null, second?.error?.code, second?.error?.errors[0]?.pointer,
    batch.summary.created, batch.summary.failed,
  );

  const sku = crypto.randomUUID();
  answer(await createProduct({ sku, name, kind: "service", unit: "hour" }));
  const lines = [{ sku, quantity: "3", unit_price: "1234.50", discount_percent: "10" }];
  const draft = answer(await createOrder({ account_id: account.id, currency: "THB", channel: "web", lines }));
  const submitted = answer(await submitOrder(draft.id));
  const order = answer(await confirmOrder(draft.id));
  say(
    "order", [draft.status, submitted.status, order.status], order.channel, order.lines[0]?.net_amount, order.lines[0]?.is_service,
    order.total_amount, order.requested_on,
  );

  const refused = await submitOrder(draft.id);
  say("refused", refused.status, problem(refused).code, problem(refused).allowed);

  const unknown = await getAccount(crypto.randomUUID());
  say("unknown", unknown.status, problem(unknown).code);
}

void main();
