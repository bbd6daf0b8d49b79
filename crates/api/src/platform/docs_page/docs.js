// The docs page: shows the published document of the server that served it, and sends requests to that server. Everything is built when it is
// opened, so that a document of a thousand operations costs no more at first than a list of its groups. Texts become text nodes, never markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
const SHOWN_HITS = 100;
const SHOWN_BYTES = 200_000;
const base = new URL("..", location.href);
const byId = (id) => document.getElementById(id);
let api;
let operations = [];
let session = null;

/** An element with properties (or attributes, for names with a hyphen) and children. */
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** What a reference leads to. */
function resolve(value) {
  for (let steps = 0; value?.$ref && steps < 20; steps++) {
    value = value.$ref.slice(2).split("/").reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api);
  }
  return value ?? {};
}

/** Texts of the document: paragraphs, lists, `code`, **bold** and links. */
function text(source) {
  const inline = (line) =>
    line.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/).map((part) => {
      if (part.startsWith("`") && part.length > 2) return make("code", {}, part.slice(1, -1));
      if (part.startsWith("**") && part.length > 4) return make("strong", {}, part.slice(2, -2));
      const link = /^\[([^\]]+)\]\(((?:https?:|\/|#)[^)\s]*)\)$/.exec(part);
      return link ? make("a", { href: link[2] }, link[1]) : part;
    });
  return (source ?? "").split(/\n{2,}/).filter(Boolean).map((block) => {
    const lines = block.split("\n");
    if (lines.every((line) => /^[-*] /.test(line))) return make("ul", {}, lines.map((line) => make("li", {}, inline(line.slice(2)))));
    return make("p", {}, inline(lines.join(" ")));
  });
}

/** A part that is built when it is opened. */
function folded(title, build, open) {
  const details = make("details", {}, make("summary", {}, title));
  details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(...[build()].flat()));
  if (open) details.open = true;
  return details;
}

function typeOf(schema) {
  if (schema.$ref) return typeOf(resolve(schema));
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(" or ");
  if (schema.allOf) return typeOf(schema.allOf[0]);
  const types = [schema.type ?? "any"].flat().map((type) => (type === "array" ? `array of ${typeOf(schema.items ?? {})}` : type));
  return types.join(" or ") + (schema.format ? ` (${schema.format})` : "");
}

/** The properties of a schema, those of everything it is composed of. */
function propertiesOf(schema, depth = 0) {
  const resolved = resolve(schema);
  if (depth > 8) return { properties: {}, required: [] };
  const parts = [...(resolved.allOf ?? []), ...(resolved.oneOf ?? []), ...(resolved.anyOf ?? []), ...(resolved.items ? [resolved.items] : [])].map((part) => propertiesOf(part, depth + 1));
  const properties = Object.assign({}, ...parts.map((part) => part.properties), resolved.properties);
  return { properties, required: [...parts.flatMap((part) => part.required), ...(resolved.required ?? [])] };
}

function limits(schema) {
  const words = {
    minLength: (n) => `at least ${n} characters`, maxLength: (n) => `at most ${n} characters`, minItems: (n) => `at least ${n} items`, maxItems: (n) => `at most ${n} items`,
    minimum: (n) => `from ${n}`, maximum: (n) => `up to ${n}`, pattern: (one) => `pattern ${one}`, default: (one) => `default ${JSON.stringify(one)}`,
  };
  const said = Object.entries(words).filter(([key]) => schema[key] !== undefined).map(([key, say]) => say(schema[key]));
  const values = schema.enum ?? schema["x-extensible-enum"] ?? resolve(schema.items)?.enum;
  if (values) said.unshift(`one of ${values.map((value) => value ?? "null").join(", ")}`);
  return said.length ? make("p", { className: "soft" }, said.join("; ")) : null;
}

function fields(schema) {
  const { properties, required } = propertiesOf(schema);
  const items = Object.entries(properties).map(([name, value]) => {
    const field = { ...resolve(value), ...value };
    const head = [make("code", {}, name), " ", make("span", { className: "soft" }, typeOf(value)), required.includes(name) ? make("span", { className: "required" }, " required") : ""];
    const inner = Object.keys(propertiesOf(value).properties).length ? folded("fields", () => fields(value)) : null;
    return make("li", {}, make("div", {}, head), text(field.description), limits(field), inner);
  });
  return items.length ? make("ul", { className: "fields" }, items) : make("p", { className: "soft" }, typeOf(schema));
}

function exampleOf(content) {
  const first = Object.values(content?.examples ?? {})[0];
  return first ? resolve(first).value : content?.example;
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function parametersOf(operation) {
  return [...(operation.item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
}

function parameterTable(parameters) {
  const rows = parameters.map((parameter) =>
    make("tr", {},
      make("td", {}, make("code", {}, parameter.name), parameter.required ? make("span", { className: "required" }, " required") : "", make("div", { className: "soft" }, parameter.in)),
      make("td", { className: "soft" }, typeOf(parameter.schema ?? {})),
      make("td", {}, text(parameter.description), limits(resolve(parameter.schema)))));
  return make("table", {}, make("tbody", {}, rows));
}

function permissions(operation) {
  const needed = operation["x-permission"];
  if (needed) return make("p", {}, "Permission: ", make("code", {}, needed));
  return make("p", { className: "soft" }, operation.security?.length === 0 ? "Public: needs no sign-in." : "Needs a sign-in or API key.");
}

/** The form that sends a request and shows the response. */
function tryIt(operation) {
  const body = resolve(operation.requestBody);
  const types = Object.keys(body.content ?? {});
  const inputs = [];
  const input = (parameter) => {
    const field = make("input", { name: parameter.name, placeholder: typeOf(parameter.schema ?? {}), required: parameter.required === true, autocomplete: "off" });
    inputs.push({ parameter, field });
    return make("label", {}, make("code", {}, parameter.name), field);
  };
  const all = parametersOf(operation);
  const required = all.filter((parameter) => parameter.required).map(input);
  const optional = all.filter((parameter) => !parameter.required);
  const type = types.length > 1 ? make("select", { "aria-label": "Content type" }, types.map((one) => make("option", {}, one))) : null;
  const content = types.length ? make("textarea", { spellcheck: false, "aria-label": "Request body", value: pretty(exampleOf(body.content[types[0]]) ?? "") }) : null;
  const send = make("button", { className: "main" }, "Send");
  const curl = make("button", { type: "button" }, "Copy as curl");
  const output = make("div", { className: "response", "aria-live": "polite" });
  const form = make("form", { className: "try" }, required, optional.length ? folded(`Optional parameters (${optional.length})`, () => optional.map(input)) : "",
    content ? make("h3", {}, "Body") : "", type, content, make("div", { className: "row" }, send, curl), output);

  const request = () => {
    let path = operation.path;
    const query = new URLSearchParams();
    const headers = {};
    for (const { parameter, field } of inputs) {
      if (field.value === "") continue;
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(field.value));
      else if (parameter.in === "query") query.append(parameter.name, field.value);
      else headers[parameter.name] = field.value;
    }
    if (session && operation.security?.length !== 0) headers.authorization = `Bearer ${session.token}`;
    if (content?.value) headers["content-type"] = type?.value ?? types[0];
    const url = new URL(path.slice(1) + (query.size ? `?${query}` : ""), base);
    return { url, options: { method: operation.method.toUpperCase(), headers, body: content?.value || undefined } };
  };

  curl.addEventListener("click", async () => {
    const { url, options } = request();
    const quote = (value) => `'${value.replaceAll("'", "'\\''")}'`;
    const parts = [`curl -X ${options.method} ${quote(String(url))}`, ...Object.entries(options.headers).map(([name, value]) => `-H ${quote(`${name}: ${name === "authorization" ? "Bearer $TOKEN" : value}`)}`)];
    if (options.body) parts.push(`--data-raw ${quote(options.body)}`);
    await navigator.clipboard.writeText(parts.join(" \\\n  ").replace("'authorization: Bearer $TOKEN'", '"authorization: Bearer $TOKEN"'));
    curl.textContent = "Copied";
  });

  let running = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return running.abort();
    running = new AbortController();
    send.textContent = "Stop";
    const began = performance.now();
    const status = make("p", { className: "status" }, "Waiting…");
    const shown = make("pre", {});
    output.replaceChildren(status, shown);
    let received = "";
    try {
      const { url, options } = request();
      const response = await fetch(url, { ...options, signal: running.signal });
      status.textContent = `${response.status} ${response.statusText}`;
      status.classList.toggle("failed", !response.ok);
      status.dataset.code = response.status;
      const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      shown.before(folded("Headers", () => make("pre", {}, headers)));
      const decoder = new TextDecoder();
      const reader = response.body?.getReader();
      for (let part = await reader?.read(); part && !part.done && received.length < SHOWN_BYTES; part = await reader.read()) {
        received += decoder.decode(part.value, { stream: true });
        shown.textContent = received;
      }
      status.append(make("span", { className: "soft" }, ` in ${Math.round(performance.now() - began)} ms`));
      if (/json/.test(response.headers.get("content-type") ?? "")) shown.textContent = pretty(JSON.parse(received));
      if (received.length >= SHOWN_BYTES) running.abort();
      if (operation.operationId === "signIn" && response.ok) useToken(JSON.parse(received).access_token);
    } catch (error) {
      if (error.name === "AbortError") status.append(" (stopped)");
      else { status.textContent = `The request failed: ${error.message}`; status.classList.add("failed"); }
    }
    output.dataset.done = "true";
    running = null;
    send.textContent = "Send";
  });
  return form;
}

function responses(operation) {
  return Object.entries(operation.responses).map(([status, value]) => {
    const response = resolve(value);
    const title = [make("strong", {}, status), ` ${response.description ?? ""}`];
    return folded(make("span", {}, title), () => Object.entries(response.content ?? {}).map(([type, content]) => {
      const example = exampleOf(content);
      return make("div", {}, make("p", { className: "soft" }, type), content.schema ? fields(content.schema) : "", example === undefined ? "" : folded("example", () => make("pre", {}, pretty(example))));
    }), /^2/.test(status));
  });
}

function showOperation(operation) {
  const body = resolve(operation.requestBody);
  const parameters = parametersOf(operation);
  const content = Object.values(body.content ?? {})[0];
  document.title = `${operation.summary} · Samphan API`;
  byId("main").replaceChildren(
    make("article", { id: `operation-${operation.operationId}` },
      make("h1", {}, operation.summary),
      make("p", { className: "path" }, make("span", { className: `method ${operation.method}` }, operation.method), operation.path),
      make("p", { className: "soft" }, operation.operationId, " · ", operation.tags.join(", "), operation.deprecated ? " · deprecated" : ""),
      permissions(operation), text(operation.description),
      make("h2", {}, "Try it"), tryIt(operation),
      parameters.length ? [make("h2", {}, "Parameters"), parameterTable(parameters)] : "",
      content ? [make("h2", {}, "Body"), text(body.description), fields(content.schema ?? {})] : "",
      make("h2", {}, "Responses"), responses(operation)));
}

function showOverview() {
  document.title = "Samphan API";
  const groups = api.tags.map((tag) => make("tr", {}, make("td", {}, make("a", { href: `#tag/${tag.name}` }, tag.name)), make("td", {}, text(tag.description))));
  byId("main").replaceChildren(make("h1", {}, api.info.title), ...text(api.info.description), make("h2", {}, "Groups"), make("table", {}, make("tbody", {}, groups)));
}

function entry(operation) {
  return make("li", {}, make("a", { href: `#${operation.operationId}` }, make("span", { className: `method ${operation.method}` }, operation.method), make("span", { title: operation.path }, operation.summary)));
}

function showGroups() {
  const groups = api.tags.map((tag) => {
    const own = operations.filter((operation) => operation.tags.includes(tag.name));
    const details = folded(make("span", { title: tag.description ?? "" }, `${tag.name} `, make("small", {}, String(own.length))), () => make("ul", {}, own.map(entry)));
    details.dataset.tag = tag.name;
    return details;
  });
  byId("operations").replaceChildren(...groups);
}

function search() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return void (showGroups(), mark());
  const hits = operations.map((operation) => [words.every((word) => operation.text.includes(word)) ? 1 + words.filter((word) => operation.title.includes(word)).length : 0, operation]).filter(([score]) => score > 0);
  hits.sort(([a], [b]) => b - a);
  const more = hits.length > SHOWN_HITS ? make("p", { className: "soft" }, `${hits.length - SHOWN_HITS} more: add a word`) : null;
  byId("operations").replaceChildren(make("p", { className: "soft", role: "status" }, `${hits.length} found`), make("ul", {}, hits.slice(0, SHOWN_HITS).map(([, operation]) => entry(operation))), more ?? "");
  mark();
}

/** Marks the operation that is shown, in its opened group. */
function mark() {
  const shown = location.hash.slice(1);
  const operation = operations.find((one) => one.operationId === shown);
  if (operation) for (const details of byId("operations").querySelectorAll("details")) if (operation.tags.includes(details.dataset.tag)) details.open = true;
  // The group's list is built by the event of its opening, which comes later.
  requestAnimationFrame(() => {
    for (const link of byId("operations").querySelectorAll("a")) {
      if (link.hash === location.hash) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  });
}

function route() {
  const place = decodeURIComponent(location.hash.slice(1));
  const operation = operations.find((one) => one.operationId === place);
  if (operation) showOperation(operation);
  else showOverview();
  if (place.startsWith("tag/")) for (const details of byId("operations").querySelectorAll("details")) if (details.dataset.tag === place.slice(4)) { details.open = true; details.scrollIntoView(); }
  byId("main").scrollTop = 0;
  mark();
}

async function useToken(token) {
  const response = await fetch(new URL("v1/me", base), { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) return (await response.json()).detail ?? "The token is not valid.";
  session = { token, name: (await response.json()).name };
  showAccount();
  return null;
}

function showAccount() {
  const button = make("button", { type: "button" }, session ? "Sign out" : "Sign in");
  button.addEventListener("click", () => {
    if (!session) return byId("sign-in").showModal();
    session = null;
    showAccount();
  });
  byId("account").replaceChildren(session ? `Signed in as ${session.name} ` : "", button);
}

function buildSignIn() {
  const dialog = byId("sign-in");
  const email = make("input", { type: "email", name: "email", autocomplete: "username" });
  const password = make("input", { type: "password", name: "password", autocomplete: "current-password" });
  const token = make("input", { name: "token", autocomplete: "off", placeholder: "smp_… or eyJ…" });
  const problem = make("p", { className: "failed", role: "alert" });
  const cancel = make("button", { type: "button" }, "Cancel");
  const form = make("form", {}, make("h2", { id: "sign-in-title" }, "Sign in"), make("label", {}, "E-mail address", email), make("label", {}, "Password", password),
    make("label", {}, "or API key or access token", token), problem, make("p", { className: "soft" }, "Kept in this page only, until it is closed. An access token ends after 10 minutes."),
    make("div", { className: "row" }, make("button", { className: "main" }, "Sign in"), cancel));
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      let secret = token.value.trim();
      if (!secret) {
        const response = await fetch(new URL("v1/auth/sign-in", base), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email: email.value, password: password.value }) });
        const answer = await response.json();
        if (!response.ok) return void (problem.textContent = answer.detail);
        secret = answer.access_token;
      }
      const refused = await useToken(secret);
      problem.textContent = refused ?? "";
      if (!refused) { form.reset(); dialog.close(); }
    } catch (error) {
      problem.textContent = `The request failed: ${error.message}`;
    }
  });
  dialog.append(form);
}

async function start() {
  const response = await fetch(new URL("openapi.json", base));
  if (!response.ok) throw new Error(`the document was answered with ${response.status}`);
  api = await response.json();
  byId("version").textContent = api.info.version;
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((one) => item[one])) {
      const operation = { ...item[method], method, path, item };
      operation.title = `${operation.summary} ${operation.operationId} ${path}`.toLowerCase();
      operation.text = `${operation.title} ${method} ${operation.tags.join(" ")} ${operation.description ?? ""}`.toLowerCase();
      operations.push(operation);
    }
  }
  byId("search").addEventListener("input", search);
  addEventListener("hashchange", route);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    event.preventDefault();
    byId("search").focus();
  });
  buildSignIn();
  showAccount();
  showGroups();
  route();
}

start().catch((error) => byId("main").replaceChildren(make("p", { className: "failed" }, `The page could not start: ${error.message}`)));
