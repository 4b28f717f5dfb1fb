import { catalogConformance } from "./catalog-conformance.ts";
import { memoryCatalog } from "./memory-catalog.ts";

catalogConformance("memoryCatalog", async () => ({ catalog: memoryCatalog(), stop: async () => undefined }));
