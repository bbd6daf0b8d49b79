# Maven is not needed: Jackson comes out of the generator's own jar, and support/ holds small stand-ins for the three libraries that
# are not in it.
language=Java
generator="openapi-generator java"
version=$(pip_pin openapi-generator-cli)
prepare() {
  command -v javac >/dev/null || debian default-jdk-headless || true
  command -v javac >/dev/null || not_run "no javac, 17 or later"
  python_tools
}
# `wait` is a method every Java object has, and none may replace it.
generate() { openapi_generator java . --library native --parameter-name-mappings wait=waitFor; }
jar() { "$venv/bin/python" -c 'import importlib.resources as r; print(r.files("openapi_generator_cli") / "openapi-generator.jar")'; }
compile() {
  find src/main/java "$here/java" -name '*.java' >sources.txt
  javac -encoding UTF-8 -proc:none -nowarn -XDsuppressNotes -Xmaxerrs 20 -cp "$(jar)" -d classes @sources.txt
}
round_trip() { java -Dfile.encoding=UTF-8 -cp "classes:$(jar)" RoundTrip "$@"; }
