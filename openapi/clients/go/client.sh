language=Go
generator="openapi-generator go"
version=$(pip_pin openapi-generator-cli)
prepare() { need go golang-go; python_tools; cp "$here"/go/{go.mod,round_trip.go} .; }
generate() { openapi_generator go samphan; }
# Nothing but the standard library is needed.
compile() { GOPROXY=off GOTOOLCHAIN=local go build -o round_trip .; }
round_trip() { ./round_trip "$@"; }
