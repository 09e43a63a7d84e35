// Where pictures of things are: GET, kept by the browser, named by what they were made from.
import { state } from "./store.js";

/** Return the address of a preset's thumbnail. */
export function thumb(name) {
    return `/api/thumb/preset/${encodeURIComponent(name)}.jpg?v=${state.thumbs[name] || ""}`;
}

/** What tells pictures of one network from those of another. */
function network() {
    return state.instrument?.key ? `&n=${state.instrument.key}` : "";
}

export function seedPicture(seed, psi) {
    return `/api/thumb/seed/${seed}.jpg?psi=${psi.toFixed(1)}${network()}`;
}

/** Return the address of a kept latent's picture: its photograph, or what the network makes of it. */
export function latentPicture(name) {
    return `/api/thumb/latent/${encodeURIComponent(name)}.jpg?v=${state.finds?.pictures?.[name] || 0}`;
}

export function clusterPicture(layer, name) {
    return `/api/cluster/${encodeURIComponent(layer)}/${encodeURIComponent(name)}.jpg?v=${state.clusters_version || 0}${network()}`;
}

/** A seed to paint on. */
export function largeSeed(seed) {
    return `/api/thumb/seed/${seed}.jpg?psi=1.0&large${network()}`;
}

/** What an edit does, four pictures side by side: as it is, at 1, at -1, where its rule fires. */
export function editPicture(name) {
    return `/api/edit/${encodeURIComponent(name)}.jpg?v=${state.edits_version || 0}${network()}`;
}

/** The cued look as it moves; null: none is cued. */
export function cuedPicture() {
    const { cued } = state.presets;
    return cued && state.thumbs[cued] ? `/api/thumb/cued.jpg?name=${encodeURIComponent(cued)}` : null;
}

/** What the source sees; null: there is none. */
export function sourcePicture() {
    return state.source?.name ? "/api/source.jpg" : null;
}
