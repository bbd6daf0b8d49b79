language=Rust
generator="openapi-generator rust"
version=$(pip_pin openapi-generator-cli)
prepare() {
  command -v cargo >/dev/null || not_run "no cargo"
  python_tools
  cp -r "$here"/rust-reqwest/{Cargo.toml,Cargo.lock,src} .
}
generate() { openapi_generator rust client; }
# Built outside $out, which is made anew each time, so that dependencies are built once.
target=$CLIENTS_DIR/rust-reqwest-target
compile() { cargo build --quiet --locked --target-dir "$target"; }
round_trip() { "$target/debug/samphan-client-round-trip" "$@"; }
