#!/usr/bin/env python3
"""Measures a release build on generated data, each operation beside the same SQL without the server.

    tests/bench/run.py [--accounts 100000] [--contacts 200000] [--orders 0] [--seconds 5] [--rounds 3] [--only sqlite|postgres]
                       [--part REQUESTS|SERIES|webhooks …] [--against 10000 [--filled URL]] [--processes 1 2 4]

What is measured stands in two tables below: REQUESTS, sent by 32 connections at once, and SERIES, done one after the other and each
timed. A new operation is a line there. The floor beside a figure is pgbench (prepared statements) for PostgreSQL and a bare loop over
the same driver for SQLite; both run the statements that crates/persistence/examples/floor.rs takes from the code that serves.
`--against` measures the reads alone, at that many accounts and at `--accounts`, each with two contacts and three orders, one size and
the other in turn, and says how much later the slowest hundredth comes at the larger one; `--filled` names a database that has the
larger size already. Webhooks are counted by `samphan load webhooks`, which receives them. Server, load generator and database share
the machine; figures are medians of the rounds. Prints tables in Markdown and writes target/bench/results.json. Needs wrk, pgbench and
psql, and SAMPHAN_TEST_POSTGRES as tests/postgres.sh sets it. `--debug` is to try the bench itself: the figures of a debug build mean
nothing.
"""
import argparse, concurrent.futures, datetime, itertools, json, os, pathlib, random, re, statistics, subprocess, sys, time, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BUILD = TARGET / ("debug" if "--debug" in sys.argv else "release")
OUT = TARGET / "bench"
PASSWORD = "bench-bench-bench"
CONNECTIONS = 32
INDUSTRIES = ["wholesale", "retail", "furniture", "food", "metal", "energy", "textile", "software", "health", "travel"]
NAMES = [["สยาม", "ไทย", "มิตร", "เจริญ", "รุ่งเรือง", "บางกอก", "เอเชีย", "สากล", "นคร", "ทอง"], ["เทรดดิ้ง", "ก่อสร้าง", "อาหาร", "ขนส่ง", "การค้า", "ยานยนต์", "เคมี", "สิ่งทอ"],
         ["Trading", "Foods", "Logistics", "Metal", "Textile", "Energy", "Motors", "Paper", "Plastics", "Marine"]]


def account(n):
    """The n-th of a series: a body sent over and over would be written to the same places of each index."""
    draw = random.Random(n)
    stem = draw.choice(NAMES[0]) + draw.choice(NAMES[0]) + draw.choice(NAMES[1])
    return {
        "name": f"{stem} {draw.choice(NAMES[2])} {draw.randrange(10**6)}", "legal_name": f"บริษัท {stem} {draw.randrange(10**6)} จำกัด", "legal_form": "company",
        "registration_no": f"0105{draw.randrange(10**9):09}", "country": "TH", "branch_code": "00000", "industry": draw.choice(INDUSTRIES), "size": "small",
        "is_vip": draw.random() < 0.5, "grade": draw.choice("ABCD"), "currency": "THB", "payment_terms_days": 30,
    }


def sh(*command, **more):
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, **more)
    if done.returncode:
        sys.exit(f"bench: {command[0]} failed: {done.stderr[-800:]}{done.stdout[-400:]}")
    return done.stdout


class Server:
    """A server of its own, on a free port."""

    def __init__(self, url, rate_limit="off"):
        port = random.randrange(20000, 32000)  # below the ports of outgoing connections
        self.url = f"http://127.0.0.1:{port}"
        env = os.environ | {
            "SAMPHAN_DATABASE_URL": url, "SAMPHAN_LISTEN": f"127.0.0.1:{port}", "SAMPHAN_RATE_LIMIT": rate_limit, "SAMPHAN_LOG": "warn",
            "SAMPHAN_ADMIN_EMAIL": "bench@example.com", "SAMPHAN_ADMIN_PASSWORD": PASSWORD, "SAMPHAN_WEBHOOK_ALLOW_PRIVATE": "true",
        }
        begun = time.monotonic()
        self.process = subprocess.Popen([BUILD / "samphan", "serve"], env=env, stdout=subprocess.DEVNULL, stderr=(OUT / "server.log").open("a"))
        while True:
            try:
                urllib.request.urlopen(self.url + "/health/ready", timeout=1).read()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"bench: the server ended, see {OUT}/server.log")
        self.ready_ms = (time.monotonic() - begun) * 1000
        self.sign_in()

    def sign_in(self):
        """Tokens last ten minutes: what takes longer signs in again."""
        self.token = None
        self.token = self.call("POST", "/v1/auth/sign-in", {"email": "bench@example.com", "password": PASSWORD})["access_token"]

    def call(self, method, path, body=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data)
        request.add_header("content-type", "application/json")
        if self.token:
            request.add_header("authorization", f"Bearer {self.token}")
        return json.loads(urllib.request.urlopen(request).read() or b"null")

    def memory_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wrk(server, script, seconds, connections=CONNECTIONS):
    """Requests a second, p50 and p99 in milliseconds."""
    out = sh("wrk", f"-t{min(connections, 2)}", "--timeout", "10s", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, server.url, env=os.environ | {"TOKEN": server.token})
    if failed := re.search(r"Non-2xx or 3xx responses: (\d+)", out):
        sys.exit(f"bench: {script.name}: {failed[1]} requests failed")

    def ms(text):
        number, unit = re.match(r"([\d.]+)(us|ms|s|m)$", text).groups()
        return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]

    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), ms(re.search(r"^\s+50%\s+(\S+)", out, re.M)[1]), ms(re.search(r"^\s+99%\s+(\S+)", out, re.M)[1])


NUMBERS = itertools.count(1)


def script(name, asked, request):
    """A script for wrk, which asks for one thing after the other, each thread from anywhere on: `request` says in Lua how for `each`."""
    path = OUT / f"{name}-{next(NUMBERS)}.lua"
    path.with_suffix(".txt").write_text("\n".join(asked))
    path.write_text(f'''local h = {{["authorization"] = "Bearer " .. os.getenv("TOKEN"), ["content-type"] = "application/json"}}
local asked = {{}}
for line in io.lines("{path.with_suffix(".txt")}") do asked[#asked + 1] = line end
local threads, n = 0, 0
function setup(thread) threads = threads + 1; thread:set("seed", os.time() * 10 + threads) end
function init() math.randomseed(seed); n = math.random(#asked) end
function request() n = n % #asked + 1; local each = asked[n]; return {request} end
''')
    return path


def gets(name, paths):
    return script(name, paths, 'wrk.format("GET", each, h)')


def posts(name, path, bodies):
    return script(name, [json.dumps(b, ensure_ascii=False) for b in bodies], f'wrk.format("POST", "{path}", h, each)')


def floor(url, operation, seconds, connections=CONNECTIONS, loops=None):
    """How often a second the database alone does it: on SQLite in as many loops as cores, unless said otherwise."""
    program = BUILD / "examples/floor"
    if url.startswith("sqlite"):
        return float(sh(program, url, operation, seconds, *([loops] if loops else [])))
    path = OUT / f"{operation}.sql"
    path.write_text(sh(program, url, operation, "script"))
    operations = int(path.read_text().split(maxsplit=2)[1])  # the first line says how many
    out = sh("pgbench", "-n", "-M", "prepared", f"-c{connections}", f"-j{min(connections, 2)}", f"-T{seconds}", "-f", path, url)
    return float(re.search(r"tps = ([\d.]+)", out)[1]) * operations


# What is asked for, each a script for wrk made from what the database holds.

def asked(url, what):
    """What the floor asks for, too: words of names, or ids spread over all records of a resource."""
    return [one for one in sh(BUILD / "examples/floor", url, what, "script").split("\n", 1)[1].split(";\n") if one]


def read(server, url):
    return gets("read", [f"/v1/accounts/{id}" for id in asked(url, "accounts")])


SORTED = "/v1/accounts?lifecycle_stage=active&sort=name"


def first(server, url):
    return gets("first", [SORTED])


def deep(server, url):
    page, paths = server.call("GET", f"{SORTED}&limit=200&fields=id"), []
    while len(paths) < 100 and page["next_cursor"]:
        paths.append(f"{SORTED}&cursor={page['next_cursor']}")
        page = server.call("GET", f"{SORTED}&limit=200&fields=id&cursor={page['next_cursor']}")
    return gets("deep", paths or [SORTED])


def order(server, url):
    return gets("order", [f"/v1/orders/{id}" for id in asked(url, "orders")])


def orders(server, url):
    """Of the accounts with most orders, at any size more than a page of them."""
    named = [server.call("GET", f"/v1/accounts/by-external-id/bench/B-{n:07}?fields=id")["id"] for n in range(1, 26)]
    return gets("orders", [f"/v1/orders?account_id={id}&sort=-ordered_on" for id in named])


def closed(server, url):
    return gets("closed", ["/v1/orders?status=closed&sort=-ordered_on"])


def search(server, url):
    return gets("search", [f"/v1/search?q={urllib.parse.quote(word)}" for word in asked(url, "words")])


def create(server, url):
    return posts("create", "/v1/accounts", [account(n) for n in range(20_000)])


def changes(server, url):
    paths, after = ["/v1/changes?limit=1000"], ""
    while len(paths) < 100:
        page = server.call("GET", f"/v1/changes?limit=1000{after}")
        if not page["has_more"]:
            break
        after = f"&after={page['next_cursor']}"
        paths.append(f"/v1/changes?limit=1000{after}")
    return gets("changes", paths[:-1] or paths)  # the last one is not full


def check(server, url):
    """Of as many accounts as accounting has told of; each check keeps its amount back."""
    told = Credit(server)
    told.run(told.ready(0))
    path, cursor, accounts = "/v1/credit-balances?system=bench&limit=200&fields=account_id", "", []
    while cursor is not None:
        page = server.call("GET", path + cursor)
        accounts += [b["account_id"] for b in page["data"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return posts("check", "/v1/credit-checks", [{"account_id": a, "amount": "1.00", "currency": "THB"} for a in accounts])


def shop(server):
    """What an order needs: tax, a price book, and fifty products of which there is no end. Answers 200 accounts and a way to make five lines."""
    if not server.call("GET", "/v1/warehouses?code=SALE")["data"]:
        server.call("POST", "/v1/tax-rates", {"code": "VAT7", "name": "VAT", "rate": "7"})
        book = server.call("POST", "/v1/price-books", {"name": "Bench", "currency": "THB", "is_default": True})["id"]
        server.call("POST", "/v1/warehouses", {"code": "SALE", "name": "Sale"})
        lines = []
        for i in range(50):
            product = server.call("POST", "/v1/products", {"sku": f"SALE-{i:02}", "name": f"Product {i}", "tax_code": "VAT7"})["id"]
            server.call("POST", f"/v1/price-books/{book}/entries", {"product_id": product, "price": f"{i + 1}.25"})
            lines.append({"product_id": product, "quantity": "1000000000"})
        server.call("POST", "/v1/stock-receipts", {"warehouse_code": "SALE", "lines": lines})
    accounts = [a["id"] for a in server.call("GET", "/v1/accounts?limit=200&fields=id")["data"]]
    return accounts, lambda n: [{"sku": f"SALE-{(n * 7 + i * 11) % 50:02}", "quantity": str(1 + i)} for i in range(5)]


def promise(server, url):
    accounts, lines = shop(server)
    return posts("promise", "/v1/order-promises", [{"account_id": a, "lines": lines(n)} for n, a in enumerate(accounts)])


# Requests, as many as 32 connections can send: title, name, script, whether floor.rs knows the operation by that name.
REQUESTS = [
    ("read one account by id", "read", read, True),
    ("list 50, filtered and sorted, first page", "first", first, True),
    ("list 50, filtered and sorted, to 20,000 deep", "deep", deep, True),
    ("search a word, 50 hits", "search", search, True),
    ("create one account (12 fields)", "create", create, True),
    ("credit check", "check", check, False),
    ("page of 1,000 changes", "changes", changes, False),
    ("order promise of 5 lines", "promise", promise, False),
]


# Reads whose time may not grow with what the database holds.
READS = REQUESTS[:4] + [
    ("read one order with its lines", "order", order, False),
    ("list 50 orders of an account, newest first", "orders", orders, False),
    ("list 50 orders in a state, newest first", "closed", closed, False),
]


# What is done one after the other: made once, then over and over made ready for a number that grows, and run, which alone is timed.

class Credit:
    """Balances of 1,000 accounts, each newer than the one before."""

    def __init__(self, server):
        self.server = server

    def ready(self, n):
        at = (datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=n)).isoformat()
        items = [{"external_id": f"B-{i:07}", "as_of": at, "receivable": f"{i}.{n:02}", "open_orders": "100.00", "on_hold": False,
                  "credit_limit": {"kind": "limited", "amount": "100000.00"}} for i in range(1, 1001)]
        return json.dumps({"system": "bench", "entity": "TH01", "currency": "THB", "items": items}).encode()

    def run(self, body):
        return self.server.call("POST", "/v1/credit-balances/batch", body)

    def expect(self, answer):
        if answer["summary"]["applied"] != 1000:
            sys.exit(f"bench: {answer['summary']}")


class Stock:
    """Counts of 1,000 products in one warehouse, each newer than the one before and one more."""

    def __init__(self, server):
        self.server = server
        server.call("POST", "/v1/warehouses", {"code": "BENCH", "name": "Bench"})
        items = [{"external_id": f"P-{i:05}", "sku": f"BENCH-{i:05}", "name": f"Bench product {i}"} for i in range(1, 1001)]
        made = server.call("POST", "/v1/products/batch", {"mode": "upsert", "match_on": "external_id:bench", "items": items})
        if made["summary"]["created"] != 1000:
            sys.exit(f"bench: {made['summary']}")

    def ready(self, n):
        at = (datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=n)).isoformat()
        items = [{"external_id": f"P-{i:05}", "as_of": at, "on_hand": str(i + n)} for i in range(1, 1001)]
        return json.dumps({"system": "bench", "warehouse_code": "BENCH", "items": items}).encode()

    def run(self, body):
        return self.server.call("POST", "/v1/stock-syncs", body)

    expect = Credit.expect


class Confirm:
    """Orders of five lines, written beforehand; each is submitted and confirmed: price, approval, credit and stock."""

    def __init__(self, server):
        self.server = server
        accounts, lines = shop(server)
        self.orders = [server.call("POST", "/v1/orders", {"account_id": accounts[n % len(accounts)], "lines": lines(n)})["id"] for n in range(250)]

    def ready(self, n):
        return self.orders[n]

    def run(self, id):
        self.server.call("POST", f"/v1/orders/{id}/submit")
        return self.server.call("POST", f"/v1/orders/{id}/confirm")

    def expect(self, answer):
        if answer["status"] != "confirmed":
            sys.exit(f"bench: {answer['status']}")


# Title, name, class, whether floor.rs knows the operation by that name.
SERIES = [
    ("credit batch of 1,000 balances", "credit", Credit, True),
    ("stock sync of 1,000 levels", "stock", Stock, False),
    ("submit and confirm an order of 5 lines", "confirm", Confirm, False),
]


def request(name, server, url, options, title, operation, make, has_floor):
    """Requests a second, beside those the database alone would do."""
    lua = make(server, url)
    wrk(server, lua, 1)
    rounds = []
    for _ in range(options.rounds):
        rounds.append((*wrk(server, lua, options.seconds), floor(url, operation, options.seconds) if has_floor else 0.0))
    rate, p50, p99, bare = (statistics.median(r[i] for r in rounds) for i in range(4))
    row = {"operation": title, "per_second": rate, "p50_ms": p50, "p99_ms": p99, "memory_mb": server.memory_mb()}
    more = ""
    if has_floor:
        row |= {"floor_per_second": bare, "share": rate / bare}
        more = f"  floor {bare:9.0f}/s  share {rate / bare:.2f}"
        if url.startswith("sqlite"):
            one = floor(url, operation, options.seconds, loops=1)
            row |= {"one_loop_per_second": one, "share_of_one_loop": rate / one}
            more += f"  of one loop {rate / one:.2f}"
    print(f"  {name:10} {title:46} {rate:9.0f}/s  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  memory {row['memory_mb']:3.0f} MB{more}", flush=True)
    return row


def series(name, server, url, options, title, operation, make, has_floor):
    """Milliseconds each takes: p50, p95, and the bare statement alone."""
    one, took = make(server), []
    for n in range(1, options.rounds * 10 + 3):
        ready = one.ready(n)
        begun = time.monotonic()
        answer = one.run(ready)
        took.append((time.monotonic() - begun) * 1000)
        one.expect(answer)
    took = sorted(took[2:])
    row = {"operation": title, "p50_ms": statistics.median(took), "p95_ms": took[int(len(took) * 0.95)], "memory_mb": server.memory_mb()}
    more = ""
    if has_floor:
        bare = statistics.median(1000 / floor(url, operation, options.seconds, 1) for _ in range(options.rounds))
        row |= {"floor_ms": bare}
        more = f"  {row['p95_ms'] / bare:.1f} times the bare statement ({bare:.0f} ms)"
    print(f"  {name:10} {title:46} p50 {row['p50_ms']:7.0f} ms  p95 {row['p95_ms']:7.0f} ms  memory {row['memory_mb']:3.0f} MB{more}", flush=True)
    return row


def webhooks(name, server, options):
    """Deliveries a second to a receiver on this machine, and how late each comes."""
    out = sh(BUILD / "samphan", "load", "webhooks", "--url", server.url, "--email", "bench@example.com",
             "--deliveries", options.deliveries, "--changes", options.deliveries // 10, env=os.environ | {"SAMPHAN_ADMIN_PASSWORD": PASSWORD})
    row = json.loads(out)
    print(f"  {name:10} {'webhooks':46} {row['deliveries_per_second']:9.0f}/s  from the change p50 {row['delay_p50_ms']:.0f} ms  p99 {row['delay_p99_ms']:.0f} ms", flush=True)
    return row


def generate(url, accounts, contacts, orders):
    """Fills a database; seconds it took."""
    started = time.monotonic()
    Server(url).stop()  # migrates, and makes the administrator
    sh(BUILD / "samphan", "generate", "--accounts", accounts, "--contacts", contacts, "--orders", orders, "--database-url", url)
    took = time.monotonic() - started
    # What was written is to reach the disk now, not while somebody measures.
    if url.startswith("postgres"):
        sh("psql", "-q", url, "-c", "CHECKPOINT")
    os.sync()
    return took


def fresh(database, name="bench"):
    """The address of an empty database."""
    if database == "sqlite":
        for old in OUT.glob(f"{name}.db*"):
            old.unlink()
        return f"sqlite://{OUT}/{name}.db"
    cluster = os.environ.get("SAMPHAN_TEST_POSTGRES") or sys.exit("bench: run it through tests/postgres.sh")
    sh("psql", "-q", f"{cluster}/postgres", "-c", f"DROP DATABASE IF EXISTS {name}", "-c", f"CREATE DATABASE {name}")
    return f"{cluster}/{name}"


def scale(database, options):
    """The reads at two sizes, and how many times the p99 of the smaller one that of the larger is."""
    name, servers, rows = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database], [], []
    for accounts in (options.against, options.accounts):
        if accounts == options.accounts and options.filled:
            url, took = options.filled, "before"
        else:
            url = fresh(database, f"bench_{accounts}")
            took = f"in {generate(url, accounts, accounts * 2, accounts * 3):.0f} s"
        print(f"  {name}: {accounts:,} accounts, {accounts * 2:,} contacts and {accounts * 3:,} orders, generated {took}", flush=True)
        servers.append((url, Server(url)))
    for title, operation, make, _ in READS:
        if options.part and operation not in options.part:
            continue
        for _, server in servers:
            server.sign_in()
        asked = [(server, make(server, url)) for url, server in servers]
        for each in asked:
            wrk(*each, 1)
        # In turn, so that a slow minute of the machine is of both.
        rounds = [[wrk(*each, options.seconds) for each in asked] for _ in range(options.rounds)]
        (_, _, small), (rate, p50, p99) = ([statistics.median(r[size][i] for r in rounds) for i in range(3)] for size in (0, 1))
        memory = servers[1][1].memory_mb()
        rows.append({"operation": title, "per_second": rate, "p50_ms": p50, "p99_ms": p99, "memory_mb": memory, "p99_small_ms": small, "times": p99 / small})
        print(f"  {name:10} {title:46} {rate:9.0f}/s  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  memory {memory:3.0f} MB  times {p99 / small:.2f}", flush=True)
    for _, server in servers:
        server.stop()
    return rows


def processes(options):
    """Requests a second of several processes on one PostgreSQL, the connections dealt out evenly among them."""
    url, rows = fresh("postgres"), []
    generate(url, options.accounts, options.contacts, options.orders)
    for many in options.processes:
        servers = [Server(url) for _ in range(many)]
        for line in REQUESTS:
            if line[1] in (options.part or ["read", "create", "check", "promise"]):
                lua = line[2](servers[0], url)
                with concurrent.futures.ThreadPoolExecutor(many) as pool:
                    parts = list(pool.map(lambda server: wrk(server, lua, options.seconds, CONNECTIONS // many), servers))
                rows.append({"operation": line[0], "processes": many, "per_second": sum(p[0] for p in parts), "p50_ms": max(p[1] for p in parts), "p99_ms": max(p[2] for p in parts)})
                print(f"  {many} processes {line[0]:46} {rows[-1]['per_second']:9.0f}/s  p50 {rows[-1]['p50_ms']:7.2f} ms  p99 {rows[-1]['p99_ms']:7.2f} ms", flush=True)
        memory = sum(server.memory_mb() for server in servers)
        for server in servers:
            server.stop()
        print(f"  {many} processes memory {memory:.0f} MB", flush=True)
    return rows


def measure(name, url, options):
    generated = generate(url, options.accounts, options.contacts, options.orders)
    ready = []
    for _ in range(options.rounds):
        server = Server(url)
        ready.append(server.ready_ms)
        server.stop()
    server, memory = Server(url), 0
    result = {"requests": [], "series": []}
    wanted = lambda operation: not options.part or operation in options.part
    for line in REQUESTS:
        if wanted(line[1]):
            result["requests"].append(request(name, server, url, options, *line))
            memory = max(memory, server.memory_mb())
    for line in SERIES:
        if wanted(line[1]):
            result["series"].append(series(name, server, url, options, *line))
            memory = max(memory, server.memory_mb())
    if wanted("webhooks"):
        result["webhooks"] = webhooks(name, server, options)
        memory = max(memory, server.memory_mb())
    server.stop()
    print(f"  {name:10} memory {memory:.0f} MB; ready in {statistics.median(ready):.0f} ms; generated in {generated:.0f} s", flush=True)
    return result | {"memory_mb": memory, "ready_ms": statistics.median(ready), "generated_s": generated}


def table(head, rows):
    """A table in Markdown, unless it is empty."""
    if not rows:
        return
    print("\n| " + " | ".join(head) + " |\n|" + "|".join("---" if i < 2 else "--:" for i in range(len(head))) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def printed(results):
    both = [(d, results[d]) for d in ("sqlite", "postgres") if d in results]
    figure = lambda row, key, form: format(row[key], form) if key in row else ""
    table(["operation", "database", "requests/s", "p50 ms", "p99 ms", "floor/s", "share", "share of one loop"], [
        [r["operation"], d, *(figure(r, k, f) for k, f in [("per_second", ",.0f"), ("p50_ms", ".2f"), ("p99_ms", ".2f"), ("floor_per_second", ",.0f"), ("share", ".2f"), ("share_of_one_loop", ".2f")])]
        for d, result in both for r in result["requests"]])
    table(["one after the other", "database", "p50 ms", "p95 ms", "bare statement ms"], [
        [r["operation"], d, *(figure(r, k, ".0f") for k in ("p50_ms", "p95_ms", "floor_ms"))] for d, result in both for r in result["series"]])
    table(["webhooks", "database", "deliveries/s", "delay p50 ms", "delay p99 ms"], [
        ["to one endpoint", d, *(figure(result["webhooks"], k, ".0f") for k in ("deliveries_per_second", "delay_p50_ms", "delay_p99_ms"))]
        for d, result in both if "webhooks" in result])
    table(["service", "database", "memory MB", "ready ms"], [["server", d, *(figure(result, k, ".0f") for k in ("memory_mb", "ready_ms"))] for d, result in both])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--orders", type=int, default=0)
    parser.add_argument("--against", type=int, help="measure the reads at this many accounts, too")
    parser.add_argument("--filled", metavar="URL", help="with --against and --only: a database that holds --accounts already, which takes long to fill")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--deliveries", type=int, default=5_000, help="webhooks counted; a tenth as many are timed")
    parser.add_argument("--processes", type=int, nargs="+", help="measure so many processes on one PostgreSQL, such as 1 2 4")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--part", nargs="+", choices=[line[1] for line in REQUESTS + READS[4:] + SERIES] + ["webhooks"], help="measure these alone")
    parser.add_argument("--debug", action="store_true", help="of a debug build: to try the bench")
    options = parser.parse_args()
    if options.against and options.against >= options.accounts:
        parser.error("--against names the smaller size, --accounts the larger one")
    if options.filled and not (options.against and options.only):
        parser.error("--filled names one database: it goes with --against and --only")
    OUT.mkdir(parents=True, exist_ok=True)
    results = {"machine": f"{os.cpu_count()} cores, {next(l.split(':')[1].strip() for l in open('/proc/cpuinfo') if 'model name' in l)}", "accounts": options.accounts, "contacts": options.contacts}
    databases = [d for d in ("sqlite", "postgres") if options.only in (None, d)]
    if options.against:
        results["scale"] = {d: scale(d, options) for d in databases}
        (OUT / "scale.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
        table([f"read, at {options.accounts:,} accounts", "database", "p50 ms", "p99 ms", f"p99 at {options.against:,}", "times"], [
            [r["operation"], d, *(format(r[k], ".2f") for k in ("p50_ms", "p99_ms", "p99_small_ms", "times"))] for d in databases for r in results["scale"][d]])
        return
    if options.processes:
        results["processes"] = processes(options)
        (OUT / "processes.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
        table(["operation", "processes", "requests/s", "p50 ms", "p99 ms"], [
            [r["operation"], str(r["processes"]), *(format(r[k], f) for k, f in [("per_second", ",.0f"), ("p50_ms", ".2f"), ("p99_ms", ".2f")])] for r in results["processes"]])
        return
    for database, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL")):
        if database in databases:
            results[database] = measure(name, fresh(database), options)
    (OUT / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
    print(f"\n{results['machine']}; {options.accounts:,} accounts, {options.contacts:,} contacts; {CONNECTIONS} connections; medians of {options.rounds} × {options.seconds} s\n")
    printed(results)


if __name__ == "__main__":
    main()
