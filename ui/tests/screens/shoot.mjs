// Takes a screenshot of every screen, light and dark, wide and narrow, under the app's content security policy, and
// checks each with axe. Usage: node tests/screens/shoot.mjs [FOLDER] [SCENE…]. Exits with 1 if a check fails.
import { createReadStream, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { extname, join, resolve } from "node:path";
import process from "node:process";

import puppeteer from "puppeteer-core";
import { build } from "vite";

const ui = resolve(import.meta.dirname, "../..");
const site = join(ui, "tests/site");
const folder = resolve(process.argv[2] ?? join(ui, "../target/screenshots/screens"));
const only = process.argv.slice(3);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const THEMES = ["light", "dark"];
/** The only rules of axe whose results depend on the theme. The others are checked in the first theme. */
const RULES_ABOUT_COLOURS = ["color-contrast", "link-in-text-block"];
const WIDTHS = [1200, 760];

const policy = Object.entries(
  JSON.parse(readFileSync(join(ui, "../src-tauri/tauri.conf.json"), "utf8")).app.security.csp,
)
  .map(([name, sources]) => `${name} ${sources}`)
  .join("; ");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

function serve() {
  const server = createServer((request, response) => {
    const path = join(site, new URL(request.url, "http://localhost").pathname);
    const file = path.endsWith("/") ? join(path, "index.html") : path;
    if (!file.startsWith(site) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-security-policy": policy,
      // Each file is loaded hundreds of times.
      "cache-control": "max-age=3600",
    });
    createReadStream(file).pipe(response);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

process.chdir(ui);
await build({ configFile: join(ui, "tests/screens/vite.config.ts"), logLevel: "error" });
mkdirSync(folder, { recursive: true });

let loads = 0;
const server = await serve();
const address = `http://127.0.0.1:${server.address().port}/tests/screens/index.html`;

function launch() {
  return puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

/** Rejects if `work` takes longer than this many seconds. */
function withTimeout(seconds, work) {
  let timer;
  const timeout = new Promise(
    (_, reject) =>
      (timer = setTimeout(() => reject(new Error(`timed out after ${seconds} s`)), seconds * 1000)),
  );
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

async function load(page, name) {
  // The query is different each time, because a change of only the fragment would not load the page again.
  await page.goto(`${address}?${(loads += 1)}#${encodeURIComponent(name)}`);
  await page.waitForSelector(`html[data-scene="${name}"]`, { timeout: 10_000 });
}

async function check(page, file, rules) {
  // Waits until lazy modules are shown, and ends the fading of dialogs and colours, which lowers the contrast.
  await page.evaluate(async () => {
    const transitions = () => document.getAnimations().filter((a) => a.effect.getTiming().iterations === 1);
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise((next) => setTimeout(next, 20));
      for (const transition of transitions()) transition.finish();
    }
  });
  await page.screenshot({ path: file });
  return page.evaluate(async (runOnly) => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"], runOnly });
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} – ${node.failureSummary}`),
    );
    const tooWide = document.documentElement.scrollWidth - window.innerWidth;
    return tooWide > 0 ? [...found, `is ${tooWide} px wider than the window`] : found;
  }, rules);
}

function message(thrown) {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Opens the tab for all screenshots of a browser. A new tab for each screenshot would take half a second longer. */
async function openTab(browser) {
  const page = await browser.newPage();
  // Like Tauri's freezePrototype, so that libraries that change the prototype fail here, too.
  await page.evaluateOnNewDocument(() => Object.freeze(Object.prototype));
  return page;
}

function setTheme(page, theme) {
  return page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
}

/** Takes a screenshot in each theme, and returns the problems that were found in each. */
async function shoot(page, name, width) {
  const problems = new Map(THEMES.map((theme) => [theme, []]));
  let found = problems.get(THEMES[0]);
  page
    .removeAllListeners("console")
    .on("console", (line) => line.type() === "error" && found.push(line.text()));
  page.removeAllListeners("pageerror").on("pageerror", (thrown) => found.push(message(thrown)));
  try {
    await page.setViewport({ width, height: 800 });
    await setTheme(page, THEMES[0]);
    await withTimeout(30, load(page, name));
    await page.evaluate(axe);
    for (const theme of THEMES) {
      found = problems.get(theme);
      await setTheme(page, theme);
      const rules = theme === THEMES[0] ? undefined : RULES_ABOUT_COLOURS;
      const file = join(folder, `${name}-${theme}-${width}.png`);
      found.push(...(await withTimeout(30, check(page, file, rules))));
    }
  } catch (thrown) {
    for (const theme of THEMES.slice(THEMES.findIndex((theme) => problems.get(theme) === found)))
      problems.get(theme).push(message(thrown));
  }
  return problems;
}

async function sceneNames(browser) {
  const page = await browser.newPage();
  await page.goto(address);
  return page.evaluate(() => globalThis.sceneNames);
}

// One browser more than cores, because each waits now and then. Two pages cannot share a browser, because only one of them would have the focus.
const browsers = await Promise.all(Array.from({ length: availableParallelism() + 1 }, launch));
let passed = 0;
let failed = 0;
try {
  // The first page of each browser also requests an icon that does not exist. This must not count as a scene's error.
  const [all] = await Promise.all(browsers.map(sceneNames));
  const names = only.length > 0 ? only : all;
  const shots = names.flatMap((name) => WIDTHS.map((width) => ({ name, width })));
  const work = async (browser) => {
    let page = await openTab(browser);
    for (let shot = shots.shift(); shot; shot = shots.shift()) {
      const { name, width } = shot;
      const found = await shoot(page, name, width);
      for (const [theme, problems] of found) {
        for (const problem of problems)
          console.error(`${name} (${theme}, ${width}): ${problem.replaceAll("\n", " ")}`);
        if (problems.length === 0) passed += 1;
        else failed += 1;
      }
      if ([...found.values()].some((problems) => problems.length > 0)) {
        // After a problem the tab may be stuck, so it is replaced.
        await withTimeout(5, page.close()).catch(() => undefined);
        page = await openTab(browser);
      }
    }
  };
  await Promise.all(browsers.map(work));
} finally {
  for (const browser of browsers)
    await withTimeout(10, browser.close()).catch(() => browser.process()?.kill("SIGKILL"));
  server.close();
}

console.log(`screenshots in ${folder}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
