language=TypeScript
generator=openapi-typescript
version=$(npm_pin openapi-typescript)
prepare() { npm_tools; }
generate() { node_modules/.bin/openapi-typescript "$document" -o schema.ts --default-non-nullable false; }
compile() { node_modules/.bin/tsc -p tsconfig.json; }
round_trip() { node out/round_trip.js "$@"; }
