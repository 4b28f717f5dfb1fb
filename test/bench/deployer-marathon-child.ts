import { embeddedMarathon } from "@sluice/embedded";

/** A Marathon that runs nothing and calls every job healthy at once, until it is killed; prints its address. */
const [dataDir = ""] = process.argv.slice(2);
const { address } = await embeddedMarathon({ dataDir, execution: "simulated" });
process.stdout.write(`${address}\n`);
