export { editPlaces } from "./edit/edit-places.ts";
