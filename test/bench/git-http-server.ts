import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gitHttpBackend } from "@sluice/git";

/** A smart HTTP server of one bare repository as a process of its own, so that its cost is not the client's. */
const [repository = ""] = process.argv.slice(2);
const handler = gitHttpBackend({ repositories: { deploy: repository } });
const server = createServer((req, res) => void handler(req, res));
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
