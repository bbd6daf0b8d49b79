// What a newcomer does on the docs page, in Chromium: opens the address, signs in by "try it", authorises, lists accounts, and follows the feed
// with an EventSource. Arguments: BASE_URL EMAIL PASSWORD. Prints a line for each step; a step that fails ends it.
import { chromium } from "playwright-core";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [base, email, password] = process.argv.slice(2);
const say = (step) => console.log(`browser: ${step}`);
const insist = (truth, what) => {
  if (!truth) throw new Error(what);
};

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "browser-")), {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: flags,
});
const page = await context.newPage();
page.setDefaultTimeout(60_000);
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));

/** Opens an operation, fills in its body, sends it, and answers the status and body shown. */
async function tryIt(tag, id, body) {
  const block = page.locator(`#operations-${tag}-${id}`);
  await block.scrollIntoViewIfNeeded();
  await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").click();
  if (body !== undefined) await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  await block.locator("button.execute").click();
  const row = block.locator(".live-responses-table tr.response");
  await row.waitFor();
  const status = Number((await row.locator(".response-col_status").innerText()).trim().split(/\s/)[0]);
  const text = await row.locator(".highlight-code code").first().innerText();
  return { status, text };
}

try {
  await page.goto(`${base}/`);
  insist(page.url().startsWith(`${base}/docs/`), `/ leads to ${page.url()}`);
  await page.locator(".opblock").first().waitFor();
  say("/ leads to the docs page, which shows the operations");

  const live = await tryIt("service", "getLiveness");
  insist(live.status === 200 && live.text.includes("ok"), `getLiveness: ${live.status} ${live.text}`);
  say('"try it" reaches this server');

  const tokens = await tryIt("auth", "signIn", { email, password });
  insist(tokens.status === 200, `signIn: ${tokens.status} ${tokens.text}`);
  const token = /"access_token":\s*"([^"]+)"/.exec(tokens.text)[1];
  await page.locator(".auth-wrapper button.authorize").click();
  await page.locator(".auth-container input").first().fill(token);
  await page.locator(".auth-container button.authorize").first().click();
  await page.locator(".auth-container button.btn-done").first().click();
  const accounts = await tryIt("accounts", "listAccounts");
  insist(accounts.status === 200 && accounts.text.includes("has_more"), `listAccounts: ${accounts.status} ${accounts.text}`);
  say("signs in, authorises and lists accounts");

  const followed = await page.evaluate(async (token) => {
    const post = async (path, body) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
      return response.json();
    };
    const { ticket } = await post("/v1/changes/stream-tickets", {});
    const stream = new EventSource(`/v1/changes/stream?types=account.created&ticket=${ticket}`);
    const event = new Promise((resolve, reject) => {
      stream.addEventListener("account.created", (event) => resolve(JSON.parse(event.data)));
      stream.onerror = () => stream.readyState === EventSource.CLOSED && reject(new Error("the stream was refused"));
    });
    await new Promise((resolve, reject) => {
      stream.onopen = resolve;
      stream.onerror = () => stream.readyState === EventSource.CLOSED && reject(new Error("the stream was refused"));
    });
    const account = await post("/v1/accounts", { name: "Seen by an EventSource" });
    const change = await event;
    stream.close();
    const again = await fetch(`/v1/changes/stream?ticket=${ticket}`);
    return { same: change.resource_id === account.id, again: again.status };
  }, token);
  insist(followed.same && followed.again === 401, JSON.stringify(followed));
  say("an EventSource follows the feed with a ticket, which is good once");

  // The refused second use of the ticket is reported by the browser itself.
  const unexpected = errors.filter((error) => !error.includes("401"));
  insist(unexpected.length === 0, unexpected.join("\n"));
  say("no error in the console");
} finally {
  await context.close();
}
