import { Badge } from "@mantine/core";

const Colors: Record<string, string> = {
  alive: "teal",
  completed: "teal",
  loaded: "teal",
  running: "indigo",
  in_progress: "indigo",
  finalizing: "indigo",
  fetching: "indigo",
  loading: "indigo",
  queued: "gray",
  validating: "gray",
  on_disk: "gray",
  cancelled: "gray",
  cancelling: "gray",
  draining: "orange",
  drained: "gray",
  suspect: "orange",
  expired: "orange",
  failed: "red",
  poison: "red",
  gone: "red",
};

/** A word with a dot of its colour: the word says it all, for who does not see the colour. */
export const State = ({ of }: { of: string }) => (
  <Badge variant="dot" color={Colors[of] ?? "gray"} tt="none" className="state">
    {of.replaceAll("_", " ")}
  </Badge>
);
