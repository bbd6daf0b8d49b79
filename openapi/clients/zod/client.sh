language=TypeScript
generator="@hey-api + zod"
version=$(npm_pin zod)
# The round trip is that of typescript-hey-api, with answers checked as they come.
prepare() { npm_tools typescript-hey-api; cp "$here/zod/openapi-ts.config.mjs" .; }
generate() { node_modules/.bin/openapi-ts -f openapi-ts.config.mjs -i "$document"; }
compile() { node_modules/.bin/tsc -p tsconfig.json; }
round_trip() { node out/round_trip.js "$@"; }
