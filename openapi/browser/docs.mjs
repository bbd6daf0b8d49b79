// What a newcomer does on the docs page, in Chromium: opens the address, looks into a group, searches, signs in, sends requests, and follows the
// feed with an EventSource. Opening must not take long. Arguments: BASE_URL EMAIL PASSWORD. Prints a line for each step; a step that fails ends it.
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

/** CPU seconds of the page's process. */
const session = await context.newCDPSession(page);
await session.send("Performance.enable");
async function cpu() {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find((metric) => metric.name === "ProcessTime").value;
}

/** Finds an operation by searching, opens it, fills in its body, sends it, and answers the status and body shown. */
async function tryIt(words, id, body) {
  await page.locator("#search").fill(words);
  await page.locator(`nav a[href="#${id}"]`).click();
  const shown = page.locator(`#operation-${id}`);
  if (body !== undefined) await shown.locator("textarea").fill(JSON.stringify(body));
  await shown.locator("form.try button.main").click();
  await shown.locator(".response[data-done]").waitFor();
  const status = Number(await shown.locator(".response .status").getAttribute("data-code"));
  return { status, text: await shown.locator(".response > pre").innerText() };
}

try {
  await page.goto(`${base}/`);
  insist(page.url().startsWith(`${base}/docs/`), `/ leads to ${page.url()}`);
  await page.locator("nav summary").first().waitFor();
  const first = await cpu();
  insist(first <= 3, `the first use took ${first} s of CPU`);
  insist((await page.title()) === "Samphan API" && (await page.locator("link[rel=icon]").getAttribute("href")) === "favicon.svg", "title and icon are the product's");
  say(`/ leads to the docs page, which shows the groups after ${first.toFixed(2)} s of CPU`);

  await page.locator("nav details[data-tag=orders] > summary").click();
  const before = await cpu();
  await page.locator('nav a[href="#createOrder"]').click();
  await page.locator("#operation-createOrder .fields").first().waitFor();
  const opening = (await cpu()) - before;
  insist(opening <= 1, `opening an operation took ${opening} s of CPU`);
  say(`an operation of a group opens after ${opening.toFixed(2)} s of CPU`);

  const live = await tryIt("liveness", "getLiveness");
  insist(live.status === 200 && live.text.includes("ok"), `getLiveness: ${live.status} ${live.text}`);
  say('search finds an operation, and "try it" reaches this server');

  await page.locator("#account button").click();
  await page.locator("#sign-in input[type=email]").fill(email);
  await page.locator("#sign-in input[type=password]").fill(password);
  await page.locator("#sign-in button.main").click();
  await page.locator("#account", { hasText: "Signed in as" }).waitFor();
  const accounts = await tryIt("list accounts", "listAccounts");
  insist(accounts.status === 200 && accounts.text.includes("has_more"), `listAccounts: ${accounts.status} ${accounts.text}`);
  const refused = await tryIt("create account", "createAccount", { name: "" });
  insist(refused.status === 422 && refused.text.includes("/name"), `createAccount: ${refused.status} ${refused.text}`);
  say("signs in, lists accounts, and shows why a body is refused");

  const token = await page.evaluate(async ([email, password]) => {
    const headers = { "content-type": "application/json" };
    return (await (await fetch("/v1/auth/sign-in", { method: "POST", headers, body: JSON.stringify({ email, password }) })).json()).access_token;
  }, [email, password]);
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

  // The refused second use of the ticket and the refused body are reported by the browser itself.
  const unexpected = errors.filter((error) => !/40[01]|422/.test(error));
  insist(unexpected.length === 0, unexpected.join("\n"));
  say("no error in the console");
} finally {
  await context.close();
}
