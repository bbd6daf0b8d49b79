// Compares pages that show an OpenAPI document, with ours blown up to 1,000 operations, in headless Chromium. Arguments: DOCUMENT [RUNS [PAGE...]].
// Each run is a new browser. CPU is the renderer process's (`ProcessTime` of DevTools' Performance.getMetrics), workers included: until the
// navigation is shown ("first use"), and until the details of an operation chosen in it are shown ("open"). Prints medians.
// Run it in a folder with the pages' packages and copy it there, or set DOCS_PAGE to the folder of our page as a file: address:
// npm i --no-save @scalar/api-reference redoc rapidoc @stoplight/elements swagger-ui-dist
import { chromium } from "playwright-core";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { tmpdir } from "node:os";
import { join } from "node:path";

const OPERATIONS = 1_000;
const [file, runs = "3", ...only] = process.argv.slice(2);
const modules = join(process.cwd(), "node_modules");

/** The document with copies of its paths, tags and operation ids until it has so many operations. */
function enlarge(document) {
  const methods = ["get", "put", "post", "patch", "delete"];
  const original = Object.entries(document.paths);
  const tags = [...document.tags];
  let count = original.flatMap(([, item]) => methods.filter((m) => item[m])).length;
  for (let copy = 2; count < OPERATIONS; copy++) {
    document.tags.push(...tags.map((tag) => ({ ...tag, name: `${tag.name}-${copy}` })));
    for (const [path, item] of original) {
      if (count >= OPERATIONS) break;
      const again = structuredClone(item);
      for (const method of methods.filter((m) => again[m])) {
        again[method].operationId += copy;
        again[method].summary += ` ${copy}`;
        again[method].tags = again[method].tags.map((tag) => `${tag}-${copy}`);
        count++;
      }
      document.paths[path.replace(/^\//, `/copy${copy}/`)] = again;
    }
  }
  return { document, count };
}

const { document, count } = enlarge(JSON.parse(readFileSync(file, "utf8")));
const text = JSON.stringify(document);

const ours = new URL(process.env.DOCS_PAGE ?? "../../crates/api/src/platform/docs_page/", import.meta.url).pathname;
const pages = {
  ours: {
    files: ["docs.js", "docs.css", "favicon.svg", "index.html"],
    ready: "nav summary",
    open: async (page) => {
      await page.locator("nav details[data-tag=orders] > summary").click();
      await page.locator("nav a[href='#createOrder']").click();
      await page.locator("#operation-createOrder .fields").first().waitFor();
    },
  },
  swagger: {
    files: ["swagger-ui-dist/swagger-ui-bundle.js", "swagger-ui-dist/swagger-ui.css"],
    html: `<link rel="stylesheet" href="/swagger-ui-dist/swagger-ui.css"><div id="p"></div><script src="/swagger-ui-dist/swagger-ui-bundle.js"></script><script src="/start.js"></script>`,
    start: `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#p", docExpansion: "none", filter: true, deepLinking: true, defaultModelsExpandDepth: -1 })`,
    ready: ".opblock-tag",
    open: async (page) => {
      await page.locator("#operations-tag-orders").click();
      await page.locator("#operations-orders-createOrder .opblock-summary-control").click();
      await page.locator("#operations-orders-createOrder .opblock-body .responses-wrapper").waitFor();
    },
  },
  "swagger, expanded": {
    files: ["swagger-ui-dist/swagger-ui-bundle.js", "swagger-ui-dist/swagger-ui.css"],
    html: `<link rel="stylesheet" href="/swagger-ui-dist/swagger-ui.css"><div id="p"></div><script src="/swagger-ui-dist/swagger-ui-bundle.js"></script><script src="/start.js"></script>`,
    start: `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#p", filter: true, deepLinking: true })`,
    ready: ".opblock",
    open: async (page) => {
      await page.locator("#operations-orders-createOrder .opblock-summary-control").click();
      await page.locator("#operations-orders-createOrder .opblock-body .responses-wrapper").waitFor();
    },
  },
  redoc: {
    files: ["redoc/bundles/redoc.standalone.js"],
    html: `<div id="p"></div><script src="/redoc/bundles/redoc.standalone.js"></script><script src="/start.js"></script>`,
    start: `Redoc.init("/openapi.json", { disableSearch: false, lazyRendering: true, hideDownloadButton: true }, document.getElementById("p"))`,
    ready: "[role=menuitem], .menu-content li",
    open: async (page) => {
      await page.locator("li[data-item-id='tag/orders'] > label, li[data-item-id='tag/orders']").first().click();
      await page.locator("li[data-item-id='tag/orders/operation/createOrder']").first().click();
      await page.locator("[id='tag/orders/operation/createOrder'] h2").first().waitFor();
    },
  },
  "rapidoc, focused": {
    files: ["rapidoc/dist/rapidoc-min.js"],
    html: `<rapi-doc id="p" render-style="focused" spec-url="/openapi.json" load-fonts="false" allow-try="true" show-header="false" nav-item-spacing="compact"></rapi-doc><script src="/rapidoc/dist/rapidoc-min.js"></script>`,
    start: "",
    ready: "rapi-doc .nav-bar-path",
    open: async (page) => {
      await page.evaluate(() => { location.hash = "#post-/v1/orders"; });
      await page.locator("rapi-doc [id^='post-'] .request-panel, rapi-doc api-response").first().waitFor();
    },
  },
  "rapidoc, view": {
    files: ["rapidoc/dist/rapidoc-min.js"],
    html: `<rapi-doc id="p" render-style="view" spec-url="/openapi.json" load-fonts="false" allow-try="true" show-header="false"></rapi-doc><script src="/rapidoc/dist/rapidoc-min.js"></script>`,
    start: "",
    ready: "rapi-doc .section-tag",
    open: async (page) => {
      await page.locator("rapi-doc .section-tag-header", { hasText: /^\s*orders\s*$/ }).first().click();
      await page.locator("rapi-doc [id='post-/v1/orders'] .endpoint-head, rapi-doc [id='post-/v1/orders']").first().click();
      await page.locator("rapi-doc api-response").first().waitFor();
    },
  },
  scalar: {
    files: ["@scalar/api-reference/dist/browser/standalone.js"],
    html: `<div id="p"></div><script src="/@scalar/api-reference/dist/browser/standalone.js"></script><script src="/start.js"></script>`,
    start: `Scalar.createApiReference("#p", { url: "/openapi.json", withDefaultFonts: false, telemetry: false, hideModels: true, hideClientButton: true, agent: { disabled: true }, mcp: { disabled: true } })`,
    ready: "a[href*='tag/orders'], .sidebar-heading, aside a",
    open: async (page) => {
      await page.evaluate(() => { location.hash = "#tag/orders/POST/v1/orders"; });
      await page.locator("section [id*='tag/orders/POST/v1/orders'], [id='tag/orders/POST/v1/orders'], [id*='orders/POST/v1/orders']").first().waitFor({ state: "attached" });
    },
  },
  elements: {
    files: ["@stoplight/elements/web-components.min.js", "@stoplight/elements/styles.min.css"],
    html: `<link rel="stylesheet" href="/@stoplight/elements/styles.min.css"><elements-api apiDescriptionUrl="/openapi.json" router="hash" layout="sidebar"></elements-api><script src="/@stoplight/elements/web-components.min.js"></script>`,
    start: "",
    ready: "[id^='sl-toc'], .sl-elements-api a, elements-api a",
    open: async (page) => {
      await page.evaluate(() => { location.hash = "#/operations/createOrder"; });
      await page.locator("elements-api h1", { hasText: "Create an order" }).first().waitFor();
    },
  },
};

let current;
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:";
const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
  const send = (type, body) => response.writeHead(200, { "content-type": type, "content-security-policy": policy }).end(body);
  if (current === pages.ours && path !== "/openapi.json") {
    const name = path === "/" ? "index.html" : path.slice(1);
    const types = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
    return current.files.includes(name) ? send(types[name.split(".").pop()], readFileSync(join(ours, name))) : response.writeHead(404).end();
  }
  if (path === "/") return send("text/html", `<!doctype html><meta charset="utf-8"><body>${current.html}`);
  if (path === "/start.js") return send("text/javascript", current.start);
  if (path === "/openapi.json") return send("application/json", text);
  if (current.files.includes(path.slice(1))) return send(path.endsWith(".css") ? "text/css" : "text/javascript", readFileSync(join(modules, path)));
  return response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${server.address().port}`;

async function run(one) {
  const profile = mkdtempSync(join(tmpdir(), "compare-"));
  const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags, viewport: { width: 1400, height: 900 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(Number(process.env.PATIENCE ?? 60_000));
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error).split("\n")[0]));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text().slice(0, 150)));
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable");
    const cpu = async () => {
      const { metrics } = await session.send("Performance.getMetrics");
      const value = (name) => metrics.find((m) => m.name === name)?.value ?? 0;
      return { process: value("ProcessTime"), task: value("TaskDuration"), heap: value("JSHeapUsedSize") };
    };
    // Work that the page puts off counts too: wait until the process is quiet.
    const quiet = async () => {
      for (let last = await cpu(), calm = 0; calm < 3; ) {
        await page.waitForTimeout(300);
        const now = await cpu();
        calm = now.process - last.process < 0.03 ? calm + 1 : 0;
        last = now;
      }
      return cpu();
    };
    await page.goto("about:blank");
    await page.goto(`${base}/`);
    await page.locator(one.ready).first().waitFor();
    const first = await cpu();
    const settled = await quiet();
    await one.open(page);
    const open = await cpu();
    const opened = await quiet();
    return {
      "first use": first.process, "and until quiet": settled.process, open: open.process - settled.process, "open until quiet": opened.process - settled.process,
      "heap MB": opened.heap / 1e6, errors: errors.slice(0, 3),
    };
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(`${count} operations, ${(text.length / 1e6).toFixed(1)} MB, medians of ${runs} runs, seconds of CPU`);
for (const [name, one] of Object.entries(pages).filter(([name]) => only.length === 0 || only.includes(name))) {
  current = one;
  const where = one === pages.ours ? ours : modules;
  const size = one.files.map((f) => statSync(join(where, f)).size).reduce((a, b) => a + b);
  const zipped = one.files.map((f) => gzipSync(readFileSync(join(where, f))).length).reduce((a, b) => a + b);
  try {
    const all = [];
    for (let i = 0; i < Number(runs); i++) all.push(await run(one));
    const columns = Object.keys(all[0]).filter((key) => key !== "errors");
    const said = columns.map((key) => `${key} ${median(all.map((one) => one[key])).toFixed(2)}`).join(", ");
    console.log(`${name}: ${said}; ${(size / 1e6).toFixed(2)} MB, ${(zipped / 1e6).toFixed(2)} MB gzip; errors ${JSON.stringify(all[0].errors)}`);
  } catch (error) {
    console.log(`${name}: ${String(error).split("\n").slice(0, 3).join(" ")}`);
  }
}
server.close();
