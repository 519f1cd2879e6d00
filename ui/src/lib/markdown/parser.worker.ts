// Converts each text that it receives to HTML. A worker, because a hostile text can keep the parser busy for minutes.
import { toHtml, type Question } from "./parser";

addEventListener("message", ({ data }: MessageEvent<Question>) => postMessage(toHtml(data)));
