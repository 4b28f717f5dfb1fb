import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Files of one certificate. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of its own for a test, in a temporary folder. */
export interface TestAuthority {
  /** File with the authority's certificate. */
  readonly ca: string;
  /** A certificate for 127.0.0.1, or for a client. */
  issue(name: string): Certificate;
  remove(): void;
}

export function testAuthority(): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), "sluice-ca-"));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe", cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Test authority",
  );
  writeFileSync(file("san"), "subjectAltName=IP:127.0.0.1\n");
  return {
    ca: file("ca.pem"),
    issue(name) {
      openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      const signed = [
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "san",
      ];
      openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...signed);
      return { cert: file(`${name}.pem`), key: file(`${name}.key`) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** As Node's server takes them. */
export function pemsOf({ cert, key }: Certificate): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
