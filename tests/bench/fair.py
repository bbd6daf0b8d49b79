#!/usr/bin/env python3
"""Measures how much later other callers are answered while some ask for all there is.

    tests/postgres.sh --disk python3 tests/bench/fair.py [--accounts 150000] [--seconds 10] [--rounds 3] [--only sqlite|postgres] [--hostile-callers 6]

Quiet and busy phases in turn. In both, four clients of one caller read accounts by id and list pages of 50, each some twenty times a second,
well within the caller's share of requests. In the busy phases there are besides: six clients that search without end for the accounts whose
names hold none of the letters and digits, with a total, each an API key of its own (or fewer, by --hostile-callers); two exports of all
accounts, one after the other for ever; and one sender of batches of 1,000 accounts. Limits are on, as they are by default; the hostile clients
ask again at once, whatever they are answered, but no more than twenty times a second.

Prints p50 and p99 of the others' reads and lists, medians of the rounds, the ratio of busy to quiet, and what the hostile clients were
answered; writes target/bench/fair.json. `--debug` is to try the bench itself. Server, clients and database share the machine: compare ratios.
"""
import argparse, collections, http.client, json, multiprocessing, os, statistics, sys, threading, time, urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import OUT, Server, fresh, generate, table

NONE = {
    "filter": {"none": [{"field": "name", "op": "contains", "value": c} for c in "abcdefghijklmnopqrstuvwxyz0123456789"]},
    "limit": 1, "count": "exact",
}
PATIENCE = 30
FORK = multiprocessing.get_context("fork")


class Client:
    """A connection that is kept open, of one caller."""

    def __init__(self, server, token):
        self.host, self.token, self.connection = urllib.parse.urlparse(server.url).netloc, token, None

    def ask(self, method, path, body=None, until=None):
        """The status, and the milliseconds to the last byte, or to `until`: then the connection is closed."""
        begun = time.perf_counter()
        try:
            self.connection = self.connection or http.client.HTTPConnection(self.host, timeout=PATIENCE)
            self.connection.request(method, path, body, {"authorization": f"Bearer {self.token}", "content-type": "application/json"})
            answer = self.connection.getresponse()
            while answer.read(1 << 16):
                if until and time.monotonic() > until:
                    self.close()
                    return answer.status, (time.perf_counter() - begun) * 1000
            return answer.status, (time.perf_counter() - begun) * 1000
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return type(error).__name__, (time.perf_counter() - begun) * 1000

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def key(server, name, *permissions):
    """The token of a new API key."""
    grants = [{"permission": p, "reach": "all"} for p in permissions]
    role = server.call("POST", "/v1/roles", {"name": f"{name} {time.monotonic_ns()}", "permissions": grants})["id"]
    return server.call("POST", "/v1/api-keys", {"name": name, "role_ids": [role]})["token"]


def paced(until, each, do):
    """Does something again and again, `each` seconds from one beginning to the next, or at once when that has passed."""
    while time.monotonic() < until:
        begun = time.monotonic()
        do()
        time.sleep(max(0.0, min(begun + each, until) - time.monotonic()))


def others(server, token, ids, until, n, took, answered):
    """One of the four clients that are measured."""
    client, turn = Client(server, token), n

    def one():
        nonlocal turn
        turn += 1
        which = "read" if turn % 2 else "list"
        path = f"/v1/accounts/{ids[turn * 7 % len(ids)]}" if which == "read" else "/v1/accounts?lifecycle_stage=active&sort=name"
        status, ms = client.ask("GET", path)
        took[which].append(ms)
        if status != 200:
            answered[f"others {status}"] += 1
    paced(until, 0.05, one)
    client.close()


def hostile(server, who, token, method, path, body, until, answered):
    """One that asks for all there is."""
    client = Client(server, token)

    def one():
        status, _ = client.ask(method, path, body, until)
        answered[f"{who} {status}"] += 1
    paced(until, 0.05, one)
    client.close()


def together(clients, results, nice):
    """Runs clients in this process, a thread each, and sends what they were answered."""
    os.nice(nice)
    took, answered = {"read": [], "list": []}, collections.Counter()
    threads = [threading.Thread(target=lambda client=client: client(took, answered)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.send((took, answered))
    results.close()


def phase(server, options, tokens, ids, busy):
    """Milliseconds of the others' reads and lists, and what the hostile clients were answered.

    Each kind of client is a process of its own: threads of one would wait for each other's turn at the interpreter, and be measured with it.
    The hostile ones stand for other machines: they take a processor only while nobody else here wants it."""
    until, groups = time.monotonic() + options.seconds, []
    if busy:
        def kind(count, who, tokens, method, path, body=None):
            return [lambda took, answered, n=n: hostile(server, who, tokens[n % len(tokens)], method, path, body, until, answered) for n in range(count)]
        batch = json.dumps({"mode": "create", "items": [{"name": f"Batch {n}", "country": "TH"} for n in range(1000)]})
        for part in options.hostile.split(","):
            groups.append({
                "search": kind(6, "search", tokens["hostile"], "POST", "/v1/accounts/search", json.dumps(NONE)),
                "export": kind(2, "export", [tokens["export"]], "GET", "/v1/accounts/export"),
                "batch": kind(1, "batch", [tokens["batch"]], "POST", "/v1/accounts/batch", batch),
            }[part])
    measured = [lambda took, answered, n=n: others(server, tokens["others"], ids, until, n * 1000, took, answered) for n in range(4)]
    running = []
    for group in [*groups, measured]:
        if group is measured and busy:
            time.sleep(min(1.0, options.seconds / 5))
        here, there = multiprocessing.Pipe(duplex=False)
        process = FORK.Process(target=together, args=(group, there, 0 if group is measured else 19))
        process.start()
        there.close()
        running.append((process, here))
    took, answered = None, collections.Counter()
    for process, results in running:
        if not results.poll(options.seconds + PATIENCE * 2):
            sys.exit("bench: a client did not end")
        took, told = results.recv()
        answered.update(told)
        process.join()
    return took, answered


def percentile(all, share):
    return sorted(all)[min(len(all) - 1, int(len(all) * share))]


def measure(database, options):
    name, url = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database], fresh(database, "bench_fair")
    print(f"  {name}: {options.accounts:,} accounts, generated in {generate(url, options.accounts, options.accounts * 2, 0):.0f} s", flush=True)
    server = Server(url, rate_limit="on")
    tokens = {
        "others": key(server, "others", "accounts:read"), "export": key(server, "export", "accounts:read", "accounts:export"),
        "batch": key(server, "batch", "accounts:read", "accounts:create", "accounts:update"),
        "hostile": [key(server, f"hostile {n}", "accounts:read") for n in range(options.hostile_callers)],
    }
    ids = [a["id"] for a in server.call("GET", "/v1/accounts?limit=200&fields=id")["data"]]
    rounds, answered = {False: [], True: []}, collections.Counter()
    phase(server, options, tokens, ids, False)
    for _ in range(options.rounds):
        for busy in (False, True):
            took, told = phase(server, options, tokens, ids, busy)
            rounds[busy].append({(which, share): percentile(ms, share) for which, ms in took.items() for share in (0.5, 0.99)})
            answered.update(told)
            # The shares of requests fill again.
            time.sleep(options.pause)
    memory = server.memory_mb()
    server.stop()
    rows = []
    for which in ("read", "list"):
        figure = lambda busy, share: statistics.median(r[which, share] for r in rounds[busy])
        row = {"operation": which, "quiet_p50_ms": figure(False, 0.5), "quiet_p99_ms": figure(False, 0.99), "busy_p50_ms": figure(True, 0.5), "busy_p99_ms": figure(True, 0.99)}
        row["times"] = row["busy_p99_ms"] / row["quiet_p99_ms"]
        rows.append(row)
        print(f"  {name:10} {which:5} quiet p50 {row['quiet_p50_ms']:6.1f} p99 {row['quiet_p99_ms']:6.1f} ms  busy p50 {row['busy_p50_ms']:6.1f} p99 {row['busy_p99_ms']:6.1f} ms  times {row['times']:.1f}", flush=True)
    print(f"  {name:10} memory {memory:.0f} MB; answered: {', '.join(f'{n} × {what}' for what, n in sorted(answered.items(), key=str))}", flush=True)
    return {"rows": rows, "answered": {str(k): v for k, v in answered.items()}, "memory_mb": memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=150_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--pause", type=int, default=5, help="seconds between two phases")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--hostile", default="search,export,batch", help="the kinds of hostile clients, to look at one alone")
    parser.add_argument("--hostile-callers", type=int, default=6, choices=range(1, 7))
    parser.add_argument("--debug", action="store_true", help="of a debug build: to try the bench")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    results = {d: measure(d, options) for d in ("sqlite", "postgres") if options.only in (None, d)}
    (OUT / "fair.json").write_text(json.dumps(results, indent=1))
    table(["others' p99 while some ask for all", "database", "quiet p50 ms", "quiet p99 ms", "busy p50 ms", "busy p99 ms", "times"], [
        [r["operation"], d, *(format(r[k], ".1f") for k in ("quiet_p50_ms", "quiet_p99_ms", "busy_p50_ms", "busy_p99_ms", "times"))]
        for d, result in results.items() for r in result["rows"]])


if __name__ == "__main__":
    main()
