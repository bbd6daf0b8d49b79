language=Python
generator=openapi-python-client
version=$(pip_pin openapi-python-client)
prepare() { python_tools; cp "$here/python/round_trip.py" .; }
generate() {
  PATH=$venv/bin:$PATH openapi-python-client generate --path "$document" --config "$here/python/client.yaml" \
    --meta none --output-path samphan_client --fail-on-warning
}
compile() { "$venv/bin/mypy" --strict --follow-imports silent --cache-dir "$tools/mypy" round_trip.py; }
round_trip() { "$venv/bin/python" round_trip.py "$@"; }
