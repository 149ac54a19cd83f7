import { useSyncExternalStore } from "react";

/** The page's name stands behind the address's #: no server needs to know it. */
export function useRoute(): string {
  return useSyncExternalStore(subscribe, () => location.hash.replace(/^#\/?/, "") || "chat");
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
