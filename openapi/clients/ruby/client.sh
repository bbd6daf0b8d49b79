language=Ruby
generator="openapi-generator ruby"
version=$(pip_pin openapi-generator-cli)
prepare() {
  need ruby ruby ruby-typhoeus
  ruby -e 'require "typhoeus"' 2>/dev/null || debian ruby-typhoeus || not_run "ruby has no typhoeus (Debian: apt-get install ruby-typhoeus)"
  python_tools
  cp "$here"/ruby/round_trip.rb .
}
generate() { openapi_generator ruby client; }
# Every file is read in one process: a model nobody uses is loaded too.
compile() { ruby -W0 -I client/lib -e 'require "samphan"; Dir["client/lib/samphan/**/*.rb"].each { |file| load file }'; }
round_trip() { ruby -I client/lib round_trip.rb "$@"; }
