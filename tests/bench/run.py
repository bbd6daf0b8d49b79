#!/usr/bin/env python3
"""Measures a release build on generated data, each operation beside the same SQL without the server.

    tests/bench/run.py [--accounts 100000] [--contacts 200000] [--seconds 5] [--rounds 3] [--only sqlite|postgres]

The floor beside each figure is pgbench (prepared statements) for PostgreSQL and a bare loop over the same driver for SQLite;
both run the statements that crates/persistence/examples/floor.rs takes from the code that serves. Server, load generator
and database share the machine; figures are medians of the rounds. Prints a table in Markdown and writes
target/bench/results.json. Needs wrk, pgbench and psql, and SAMPHAN_TEST_POSTGRES as tests/postgres.sh sets it.
"""
import argparse, datetime, json, os, pathlib, random, re, statistics, subprocess, sys, time, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
OUT = TARGET / "bench"
CONNECTIONS = 32
ACCOUNT = {
    "name": "สยามเทรดดิ้ง Bench", "legal_name": "บริษัท สยามเทรดดิ้ง จำกัด", "legal_form": "company", "registration_no": "0105536", "country": "TH",
    "branch_code": "00000", "industry": "wholesale", "size": "small", "is_vip": True, "grade": "A", "currency": "THB", "payment_terms_days": 30,
}


def sh(*command, **more):
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, **more)
    if done.returncode:
        sys.exit(f"bench: {command[0]} failed: {done.stderr[-800:]}{done.stdout[-400:]}")
    return done.stdout


class Server:
    """A server of its own, on a free port."""

    def __init__(self, url):
        port = random.randrange(20000, 32000)  # below the ports of outgoing connections
        self.url = f"http://127.0.0.1:{port}"
        env = os.environ | {
            "SAMPHAN_DATABASE_URL": url, "SAMPHAN_LISTEN": f"127.0.0.1:{port}", "SAMPHAN_RATE_LIMIT": "off", "SAMPHAN_LOG": "warn",
            "SAMPHAN_ADMIN_EMAIL": "bench@example.com", "SAMPHAN_ADMIN_PASSWORD": "bench-bench-bench",
        }
        begun = time.monotonic()
        self.process = subprocess.Popen([TARGET / "release/samphan", "serve"], env=env, stdout=subprocess.DEVNULL, stderr=(OUT / "server.log").open("a"))
        while True:
            try:
                urllib.request.urlopen(self.url + "/health/ready", timeout=1).read()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"bench: the server ended, see {OUT}/server.log")
        self.ready_ms = (time.monotonic() - begun) * 1000
        self.token = None
        self.token = self.call("POST", "/v1/auth/sign-in", {"email": "bench@example.com", "password": "bench-bench-bench"})["access_token"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("content-type", "application/json")
        if self.token:
            request.add_header("authorization", f"Bearer {self.token}")
        return json.loads(urllib.request.urlopen(request).read() or b"null")

    def memory_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wrk(server, script, seconds):
    """Requests a second, p50 and p99 in milliseconds."""
    out = sh("wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script, server.url, env=os.environ | {"TOKEN": server.token})
    if failed := re.search(r"Non-2xx or 3xx responses: (\d+)", out):
        sys.exit(f"bench: {script.name}: {failed[1]} requests failed")

    def ms(text):
        number, unit = re.match(r"([\d.]+)(us|ms|s|m)$", text).groups()
        return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]

    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), ms(re.search(r"^\s+50%\s+(\S+)", out, re.M)[1]), ms(re.search(r"^\s+99%\s+(\S+)", out, re.M)[1])


def script(name, lines):
    path = OUT / f"{name}.lua"
    path.write_text('local h = {["authorization"] = "Bearer " .. os.getenv("TOKEN"), ["content-type"] = "application/json"}\n' + lines)
    return path


def gets(name, paths):
    (OUT / f"{name}.txt").write_text("\n".join(paths))
    return script(name, f'''local paths = {{}}
for line in io.lines("{OUT}/{name}.txt") do paths[#paths + 1] = line end
local n = math.random(#paths)
function request() n = n % #paths + 1; return wrk.format("GET", paths[n], h) end
''')


def floor(url, operation, seconds, connections=CONNECTIONS, loops=None):
    """How often a second the database alone does it: on SQLite in as many loops as cores, unless said otherwise."""
    program = TARGET / "release/examples/floor"
    if url.startswith("sqlite"):
        return float(sh(program, url, operation, seconds, *([loops] if loops else [])))
    path = OUT / f"{operation}.sql"
    path.write_text(sh(program, url, operation, "script"))
    operations = int(path.read_text().split(maxsplit=2)[1])  # the first line says how many
    out = sh("pgbench", "-n", "-M", "prepared", f"-c{connections}", f"-j{min(connections, 2)}", f"-T{seconds}", "-f", path, url)
    return float(re.search(r"tps = ([\d.]+)", out)[1]) * operations


def operations(server, url):
    ids = [a["id"] for a in server.call("GET", "/v1/accounts?limit=200&fields=id")["data"]]
    yield "read one account by id", "read", gets("read", [f"/v1/accounts/{i}" for i in ids])
    query = "/v1/accounts?lifecycle_stage=active&sort=name"
    yield "list 50, filtered and sorted, first page", "first", gets("first", [query])
    page, deep = server.call("GET", f"{query}&limit=200&fields=id"), []
    while len(deep) < 100 and page["next_cursor"]:
        deep.append(f"{query}&cursor={page['next_cursor']}")
        page = server.call("GET", f"{query}&limit=200&fields=id&cursor={page['next_cursor']}")
    yield "list 50, filtered and sorted, to 20,000 deep", "deep", gets("deep", deep)
    words = sh(TARGET / "release/examples/floor", url, "words", "script").split("\n", 1)[1].split(";\n")
    yield "search a word, 50 hits", "search", gets("search", [f"/v1/search?q={urllib.parse.quote(w)}" for w in words if w])
    body = json.dumps(ACCOUNT, ensure_ascii=False)
    yield "create one account (12 fields)", "create", script("create", f"function request() return wrk.format('POST', '/v1/accounts', h, [==[{body}]==]) end\n")


def credit(server, url, options):
    """Milliseconds of credit batches of 1,000, each newer than the one before: p50, p95, and the bare statement alone."""
    took = []
    for n in range(options.rounds * 10 + 2):
        at = (datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=n)).isoformat()
        items = [{"external_id": f"B-{i:07}", "as_of": at, "receivable": f"{i}.{n:02}", "open_orders": "100.00", "on_hold": False,
                  "credit_limit": {"kind": "limited", "amount": "100000.00"}} for i in range(1, 1001)]
        begun = time.monotonic()
        answer = server.call("POST", "/v1/credit-balances/batch", {"system": "bench", "entity": "TH01", "currency": "THB", "items": items})
        took.append((time.monotonic() - begun) * 1000)
        if answer["summary"]["applied"] != 1000:
            sys.exit(f"bench: {answer['summary']}")
    took = sorted(took[2:])
    bare = statistics.median(1000 / floor(url, "credit", options.seconds, 1) for _ in range(options.rounds))
    return statistics.median(took), took[int(len(took) * 0.95)], bare


def measure(name, url, options):
    started = time.monotonic()
    Server(url).stop()  # migrates, and makes the administrator
    sh(TARGET / "release/samphan", "generate", "--accounts", options.accounts, "--contacts", options.contacts, "--database-url", url)
    generated = time.monotonic() - started
    ready = []
    for _ in range(options.rounds):
        server = Server(url)
        ready.append(server.ready_ms)
        server.stop()
    server = Server(url)
    rows = []
    for title, operation, lua in operations(server, url):
        wrk(server, lua, 1)
        rounds = []
        for _ in range(options.rounds):
            rounds.append((*wrk(server, lua, options.seconds), floor(url, operation, options.seconds)))
        rate, p50, p99, bare = (statistics.median(r[i] for r in rounds) for i in range(4))
        rows.append({"operation": title, "per_second": rate, "p50_ms": p50, "p99_ms": p99, "floor_per_second": bare, "share": rate / bare})
        more = ""
        if url.startswith("sqlite"):
            one = floor(url, operation, options.seconds, loops=1)
            rows[-1] |= {"one_loop_per_second": one, "share_of_one_loop": rate / one}
            more = f"  of one loop {rate / one:.2f}"
        print(f"  {name:9} {title:46} {rate:9.0f}/s  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  floor {bare:9.0f}/s  share {rate / bare:.2f}{more}", flush=True)
    memory = server.memory_mb()
    half, p95, bare = credit(server, url, options)
    memory = max(memory, server.memory_mb())
    print(f"  {name:9} credit batch of 1,000: p50 {half:.0f} ms, p95 {p95:.0f} ms, {p95 / bare:.1f} times the bare statement ({bare:.0f} ms); "
          f"memory {memory:.0f} MB; ready in {statistics.median(ready):.0f} ms; generated in {generated:.0f} s", flush=True)
    server.stop()
    return {"rows": rows, "credit_batch_p50_ms": half, "credit_batch_p95_ms": p95, "credit_statement_ms": bare, "memory_mb": memory,
            "ready_ms": statistics.median(ready), "generated_s": generated}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    results = {"machine": f"{os.cpu_count()} cores, {next(l.split(':')[1].strip() for l in open('/proc/cpuinfo') if 'model name' in l)}", "accounts": options.accounts, "contacts": options.contacts}
    if options.only != "postgres":
        for old in OUT.glob("bench.db*"):
            old.unlink()
        results["sqlite"] = measure("SQLite", f"sqlite://{OUT}/bench.db", options)
    if options.only != "sqlite":
        cluster = os.environ.get("SAMPHAN_TEST_POSTGRES") or sys.exit("bench: run it through tests/postgres.sh")
        sh("psql", "-q", f"{cluster}/postgres", "-c", "DROP DATABASE IF EXISTS bench", "-c", "CREATE DATABASE bench")
        results["postgres"] = measure("PostgreSQL", f"{cluster}/bench", options)
    (OUT / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
    print(f"\n{results['machine']}; {options.accounts:,} accounts, {options.contacts:,} contacts; {CONNECTIONS} connections; medians of {options.rounds} × {options.seconds} s\n")
    print("| operation | database | requests/s | p50 ms | p99 ms | floor/s | share | share of one loop |\n|---|---|--:|--:|--:|--:|--:|--:|")
    for database in ("sqlite", "postgres"):
        for r in results.get(database, {}).get("rows", []):
            print(f"| {r['operation']} | {database} | {r['per_second']:,.0f} | {r['p50_ms']:.2f} | {r['p99_ms']:.2f} | {r['floor_per_second']:,.0f} | {r['share']:.2f} | {format(r['share_of_one_loop'], '.2f') if 'share_of_one_loop' in r else ''} |")
    print("\n| database | credit batch of 1,000: p50 ms | p95 ms | bare statement ms | memory MB | ready ms |\n|---|--:|--:|--:|--:|--:|")
    for database in ("sqlite", "postgres"):
        if r := results.get(database):
            print(f"| {database} | {r['credit_batch_p50_ms']:.0f} | {r['credit_batch_p95_ms']:.0f} | {r['credit_statement_ms']:.0f} | {r['memory_mb']:.0f} | {r['ready_ms']:.0f} |")


main()
