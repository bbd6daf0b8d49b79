// How generated functions send their requests: to this address, with this token.
let base = "";
let token: string | undefined;

/** Sets the address, and the token once there is one. */
export const configure = (baseUrl: string, accessToken?: string): void => {
  base = baseUrl;
  token = accessToken;
};

/** Sends a request, and answers status, headers and body as the generated types have them. */
export const fetcher = async <T>(url: string, options: RequestInit): Promise<T> => {
  const headers = new Headers(options.headers);
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  const response = await fetch(base + url, { ...options, headers });
  const text = await response.text();
  return { data: text === "" ? undefined : JSON.parse(text), status: response.status, headers: response.headers } as T;
};
