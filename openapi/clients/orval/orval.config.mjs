// Plain functions over fetch, one file for each tag. The fetcher adds the address and the token.
export default {
  samphan: {
    input: { target: process.env.DOCUMENT },
    output: {
      target: "client/samphan.ts",
      schemas: "client/model",
      client: "fetch",
      mode: "tags-split",
      override: { mutator: { path: "fetcher.ts", name: "fetcher" } },
    },
  },
};
