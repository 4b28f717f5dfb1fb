export { type AnnounceOptions, announce } from "./announce.ts";
export { type Announced, fromText, parseAnnouncements } from "./announcement.ts";
export { withoutPin, withPin } from "./edit/pin.ts";
export { type ImageUpdater, type ImageUpdaterOptions, imageUpdater } from "./image-updater.ts";
export { decodeMarks, encodeMarks } from "./marks.ts";
export { versionText } from "./message.ts";
export { type ImagePolicy, POLICY_FILE, parsePolicies } from "./policy/parse-policies.ts";
export { canonicalName, isImageName, TAG } from "./reference.ts";
export { type ImageView, surveyImages } from "./survey.ts";
