import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** PEM files; `cert` is signed by the authority in `ca`. */
export interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** For a server on 127.0.0.1, and for a client of it. */
  readonly server: Identity;
  readonly client: Identity;
  /** Of an authority nobody here trusts. */
  readonly stranger: Identity;
  remove(): void;
}

/** Makes two authorities and their certificates with `openssl`, good for a day. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "sluice-tls-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  function authority(name: string): void {
    const out = ["-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`, "-days", "1"];
    openssl("req", "-x509", ...key, ...out);
  }
  function identity(name: string, by: string): Identity {
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    writeFileSync(
      join(folder, `${name}.ext`),
      "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:server.dc1.consul\nextendedKeyUsage=serverAuth,clientAuth\n",
    );
    const signer = ["-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial", "-days", "1"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...signer,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
    const file = (one: string) => join(folder, one);
    return { ca: file(`${by}.pem`), cert: file(`${name}.pem`), key: file(`${name}.key`) };
  }
  authority("trusted");
  authority("foreign");
  return {
    server: identity("server", "trusted"),
    client: identity("client", "trusted"),
    stranger: identity("stranger", "foreign"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
