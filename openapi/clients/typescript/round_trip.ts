// A round trip with the generated TypeScript client: what a front end does in its first hour.
// Generated, compiled and run by ../run.sh; arguments: BASE_URL EMAIL PASSWORD.
import assert from "node:assert/strict";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["Problem"];

const [baseUrl, email, password] = process.argv.slice(2);
assert(baseUrl && email && password, "usage: round_trip BASE_URL EMAIL PASSWORD");

const client = createClient<paths>({ baseUrl });
const mergePatch = { "Content-Type": "application/merge-patch+json" };
let steps = 0;

/** What a call answered, or the problem it was refused with. */
function answer<T>(result: { data?: T; error?: Problem }): T {
  assert(result.data !== undefined, `refused: ${JSON.stringify(result.error)}`);
  return result.data;
}

// 1 sign in
const tokens = answer(await client.POST("/v1/auth/sign-in", { body: { email, password } }));
assert.equal(tokens.token_type, "Bearer");
assert(tokens.access_token && tokens.refresh_token && tokens.expires_in > 0);
const authenticate: Middleware = {
  onRequest: ({ request }) => request.headers.set("Authorization", `Bearer ${tokens.access_token}`),
};
client.use(authenticate);
steps += 1;

// 2 create
const name = `TypeScript round trip ${crypto.randomUUID()}`;
const creation = await client.POST("/v1/accounts", { body: { name, tags: ["round_trip"] } });
const account = answer(creation);
assert.equal(creation.response.status, 201);
assert.equal(creation.response.headers.get("ETag"), '"1"');
assert.equal(account.version, 1);
assert.equal(account.name, name);
assert.equal(account.legal_name, null);
assert.equal(account.is_vip, false);
assert.deepEqual(account.tags, ["round_trip"]);
assert(!Number.isNaN(Date.parse(account.created_at)));
steps += 1;

// 3 list
const page = answer(await client.GET("/v1/accounts", { params: { query: { limit: 5, sort: "-created_at" } } }));
assert(page.data.length >= 1 && page.data.length <= 5);
assert(page.data.some((a) => a.id === account.id), "the new account is on the first page");
assert.equal(page.has_more, page.next_cursor !== null);
steps += 1;

// 4 update: set a field, then clear it with null
const update = (body: components["schemas"]["AccountPatch"], version: string) =>
  client.PATCH("/v1/accounts/{id}", {
    params: { path: { id: account.id }, header: { "If-Match": version } },
    headers: mergePatch,
    body,
  });
const named = answer(await update({ legal_name: "บริษัท สยาม จำกัด" }, '"1"'));
assert.equal(named.version, 2);
assert.equal(named.legal_name, "บริษัท สยาม จำกัด");
const cleared = answer(await update({ legal_name: null }, '"2"'));
assert.equal(cleared.version, 3);
assert.equal(cleared.legal_name, null);
assert.equal(cleared.name, name, "what a patch leaves out stays");
assert.deepEqual(cleared.tags, ["round_trip"]);
steps += 1;

// 5 conflict
const conflict = await update({ name: "Too late" }, '"1"');
assert.equal(conflict.response.status, 412);
const problem: Problem | undefined = conflict.error;
assert.equal(problem?.code, "version_conflict");
assert.equal(problem.status, 412);
steps += 1;

// 6 batch
const batch = answer(
  await client.POST("/v1/accounts/batch", { body: { mode: "create", items: [{ name: "A" }, { name: "" }] } }),
);
const [first, second] = batch.results;
assert.equal(first?.status, "created");
assert(first.id && !first.error);
assert.equal(second?.status, "failed");
assert.equal(second.error?.code, "validation_failed");
assert.equal(batch.summary.created, 1);
assert.equal(batch.summary.failed, 1);
steps += 1;

console.log(`typescript: ${steps} steps passed`);
