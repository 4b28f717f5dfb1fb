import type { Revision, RevisionMarker } from "@sluice/core";

/** The last revision of which readers could see all. */
export function wholeBefore(marker: RevisionMarker | undefined): Revision | undefined {
  return marker?.state === "applying" ? marker.previous : marker?.revision;
}
