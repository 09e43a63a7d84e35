// All views, in the order of their tabs. One file each: {name, label, draw(root), enter?(root), leave?()}.
import { play } from "./play.js";
import { all } from "./all.js";
import { bend } from "./bend.js";
import { edit } from "./edit.js";
import { latent } from "./latent.js";
import { map } from "./map.js";
import { mod } from "./mod.js";
import { show } from "./show.js";
import { sound } from "./sound.js";
import { studio } from "./studio.js";

export const VIEWS = [play, all, bend, edit, latent, mod, sound, map, show, studio];
