// As ../typescript-hey-api, and every answer is held against the Zod schema made of the document.
export default {
  output: { path: "client", module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "zod", { name: "@hey-api/sdk", validator: { response: true } }],
};
