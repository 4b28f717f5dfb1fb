import { expect, it } from "vitest";
import { explainTls } from "./tls.ts";

const PEM = Buffer.from("pem");
const RESET = "read ECONNRESET";

it.each([
  ["unable to verify the first certificate", { ca: PEM }, /authority in consul\.ca/],
  ["self-signed certificate in certificate chain", {}, /consul\.ca can name one/],
  ["unable to get local issuer certificate", { ca: PEM }, /authority in consul\.ca/],
  [
    "80DC:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:…",
    {},
    /^it wants a client certificate/,
  ],
  ["tlsv13 alert certificate required", { ca: PEM }, /^it wants a client certificate/],
  ["tlsv1 alert unknown ca", { cert: PEM, key: PEM }, /^it does not take the client certificate/],
  [RESET, {}, /^read ECONNRESET; perhaps it wants a client certificate/],
  [RESET, { cert: PEM }, /^read ECONNRESET$/],
  ["certificate has expired", { ca: PEM }, /^certificate has expired$/],
])("%s, with %o, is explained", (text, tls, says) => {
  expect(explainTls({ status: undefined, text }, tls, true).text).toMatch(says);
});

it("an answer, and a connection without TLS, are left as they are", () => {
  const answer = { status: 403, text: "self-signed certificate" };
  expect(explainTls(answer, {}, true)).toBe(answer);
  const plain = { status: undefined, text: RESET };
  expect(explainTls(plain, {}, false)).toBe(plain);
});
