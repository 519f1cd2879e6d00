import { entryScenes } from "./scenes/entry";
import { galleryScenes } from "./scenes/gallery";
import { mcpJsonScenes } from "./scenes/mcp-json";
import { offerScenes } from "./scenes/offers";
import { largeScenes } from "./scenes/large";
import type { Scenes } from "./scenes/scene";
import { secretsScenes } from "./scenes/secrets";
import { serviceScenes } from "./scenes/service";
import { settingsScenes } from "./scenes/settings";
import { signInScenes } from "./scenes/sign-in";
import { startScenes } from "./scenes/start";
import { toolsScenes } from "./scenes/tools";

export const scenes: Scenes = {
  ...startScenes,
  ...galleryScenes,
  ...entryScenes,
  ...serviceScenes,
  ...signInScenes,
  ...toolsScenes,
  ...offerScenes,
  ...settingsScenes,
  ...secretsScenes,
  ...mcpJsonScenes,
  ...largeScenes,
};
