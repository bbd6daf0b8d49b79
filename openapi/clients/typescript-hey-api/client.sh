language=TypeScript
generator=@hey-api/openapi-ts
version=$(npm_pin @hey-api/openapi-ts)
prepare() { npm_tools; cp "$here/typescript-hey-api/openapi-ts.config.mjs" .; }
generate() { node_modules/.bin/openapi-ts -f openapi-ts.config.mjs -i "$document"; }
compile() { node_modules/.bin/tsc -p tsconfig.json; }
round_trip() { node out/round_trip.js "$@"; }
