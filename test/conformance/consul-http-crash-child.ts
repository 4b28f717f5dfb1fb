import { embeddedConsul } from "@sluice/embedded";

/** Serves the folder given as argument until it is killed, and prints its address. */
const [dataDir = ""] = process.argv.slice(2);
const { address } = await embeddedConsul({ dataDir });
process.stdout.write(`${address}\n`);
