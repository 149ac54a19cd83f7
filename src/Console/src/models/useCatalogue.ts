import { call } from "../api/edge";
import { type CatalogueModel } from "../api/types";
import { useLive, type Live } from "../api/useLive";

/** The models that this key may use. */
export const useCatalogue = (every = 30_000): Live<CatalogueModel[]> =>
  useLive(async (signal) => (await call<{ models: CatalogueModel[] }>("api/tags", { signal })).models, every);

/** Names of those that answer in words; models for embeddings are none. Undefined until they are known. */
export const namesOfTalkers = (models: CatalogueModel[] | undefined): string[] | undefined =>
  models?.filter((model) => model.capabilities.includes("completion")).map((model) => model.name);
