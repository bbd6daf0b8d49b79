language=TypeScript
generator=orval
version=$(npm_pin orval)
prepare() { npm_tools; cp "$here"/orval/{fetcher.ts,orval.config.mjs} .; }
generate() { DOCUMENT=$document node_modules/.bin/orval --config orval.config.mjs; }
compile() { node_modules/.bin/tsc -p tsconfig.json; }
round_trip() { node out/round_trip.js "$@"; }
