# With Debian's mono, where there is no .NET: the compiler knows C# 7, and Json.NET is Debian's. support/ holds small stand-ins for what of newer
# packages the generated code names.
language=C#
generator="openapi-generator csharp"
version=$(pip_pin openapi-generator-cli)
# Debian's packages put what they hold there.
json_net() { find /usr/lib/mono/gac/Newtonsoft.Json -name Newtonsoft.Json.dll -print -quit 2>/dev/null || true; }
mono_packages=(mono-mcs mono-runtime libmono-system-net-http4.0-cil libmono-system-componentmodel-dataannotations4.0-cil libnewtonsoft-json5.0-cil)
prepare() {
  need mcs "${mono_packages[@]}"
  need mono "${mono_packages[@]}"
  [ -n "$(json_net)" ] || debian "${mono_packages[@]}" || true
  [ -n "$(json_net)" ] || not_run "no Newtonsoft.Json (Debian: apt-get install ${mono_packages[*]})"
  python_tools
  cp "$(json_net)" .
}
generate() { openapi_generator csharp client; }
compile() {
  mcs -langversion:latest -out:RoundTrip.exe -r:Newtonsoft.Json.dll -r:System.Net.Http.dll -r:System.Runtime.Serialization.dll \
    -r:System.ComponentModel.DataAnnotations.dll -recurse:'client/src/Samphan/*.cs' "$here"/csharp/support/*.cs "$here/csharp/RoundTrip.cs"
}
round_trip() { mono RoundTrip.exe "$@"; }
