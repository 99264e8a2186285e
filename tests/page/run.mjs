// run.mjs JOINER [PICTURES]: what somebody sees of a demo in a browser, and how 5,000 nodes scroll. Called by test.sh.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { serveMany } from "./many_nodes.mjs";

const modules = createRequire(join(process.env.PAGE_TEST_MODULES, "x.js"));
const { chromium } = modules("playwright-core");
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
const here = dirname(fileURLToPath(import.meta.url));
const [joiner, pictures] = process.argv.slice(2);
const phone = { width: 360, height: 740 };
const desk = { width: 1400, height: 900 };

function expect(isSo, what) {
  if (!isSo) throw new Error("not so: " + what);
}

async function until(what, isSo, seconds = 60) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const value = await isSo();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resume) => setTimeout(resume, 200));
  }
}

async function startDemo() {
  const child = spawn(joiner, ["demo", "--serve"], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (text) => { said += text; });
  const find = (pattern) => until(`the demo says ${pattern}`, () => pattern.exec(said)?.[1], 20);
  return { child, page: await find(/(http:\/\/localhost:\d+\/page)/), api: await find(/--server (http:\S+) get/) };
}

async function call(api, method, path, body) {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const answer = await fetch(api + path, { method, headers: { "Content-Type": type }, body: JSON.stringify(body) });
  expect(answer.ok, `${method} ${path}: ${answer.status}`);
}

function workload(name, replicas, cpu) {
  const labels = { app: name };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: "default" },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels },
      spec: { containers: [{ name: "main", image: "pause", resources: { requests: { cpu, memory: "1Gi" } } }] } } } };
}

// Console errors, failed requests and requests to elsewhere of a page, from now on.
function listen(page, complaints) {
  page.on("console", (message) => { if (message.type() === "error") complaints.push("console: " + message.text()); });
  page.on("pageerror", (error) => complaints.push("error: " + error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).hostname !== "localhost" && !request.url().startsWith("data:")) complaints.push("outside: " + request.url());
  });
}

async function checkAccess(browser, url, complaints) {
  for (const viewport of [phone, desk]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport, colorScheme });
      listen(page, complaints);
      await page.goto(url);
      await page.locator(".node").first().waitFor();
      await page.locator("#waiting summary").first().click();
      await page.evaluate(axe);
      const look = async (where) => {
        const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        for (const one of found.violations)
          complaints.push(`axe, ${viewport.width} ${colorScheme} ${where}: ${one.id}: ${one.nodes[0].target} ${one.nodes[0].failureSummary}`);
      };
      await look("page");
      await page.locator(".node").first().click();
      await page.locator("#node h3").first().waitFor();
      await look("a node");
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width <= viewport.width, `nothing is wider than the window: ${width} of ${viewport.width}`);
      await page.close();
    }
  }
}

async function checkKeyboard(page) {
  await page.keyboard.press("/");
  expect(await page.evaluate(() => document.activeElement.id) === "search", "/ goes to the search");
  await page.keyboard.type("no such thing");
  await until("nothing matches", async () => await page.locator(".node").count() === 0);
  await page.keyboard.press("Escape");
  await until("Escape brings all back", async () => await page.locator(".node").count() > 0);
  await page.locator(".node").first().focus();
  await page.keyboard.press("ArrowRight");
  const name = await page.evaluate(() => document.activeElement.dataset.name);
  expect(name === await page.locator(".node").nth(1).getAttribute("data-name"), "an arrow goes to the next node");
  await page.keyboard.press("Enter");
  await page.locator("#node h2").waitFor();
  expect(await page.locator("#node h2").textContent() === name, "Enter opens it");
  expect((await page.locator("#node").textContent()).includes("Why it is kept"), "why it is kept is said");
  await page.locator("#node tbody tr").first().waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#node").waitFor({ state: "hidden" });
  expect(await page.evaluate(() => document.activeElement.dataset.name) === name, "Escape leads back to the node");
}

async function picture(browser, url, viewport, name, more) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  const page = await browser.newPage({ viewport, ...more });
  await page.goto(url);
  await page.locator(".node").first().waitFor();
  await page.waitForTimeout(2500);
  await page.screenshot({ path: join(pictures, name) });
  await page.close();
}

async function watchDemo(browser) {
  const demo = await startDemo();
  const complaints = [];
  try {
    const page = await browser.newPage({ viewport: desk });
    listen(page, complaints);
    await page.goto(demo.page);
    const figure = async (name) => page.locator("#figures div", { hasText: name }).first().locator("dd > span").textContent();
    const price = async () => parseFloat((await figure("Price")).replace("$", ""));
    await until("nodes appear", async () => await page.locator(".node").count() > 5);
    await until("220 pods run", async () => (await figure("Pods on them")) === "220");
    await call(demo.api, "PATCH", "/apis/apps/v1/namespaces/default/deployments/web", { spec: { replicas: 400 } });
    await until("560 pods run", async () => (await figure("Pods on them")) === "560");
    await until("all nodes are ready", async () => await page.locator(".node:not([data-mood=good])").count() === 0);
    await checkKeyboard(page);

    await call(demo.api, "POST", "/apis/apps/v1/namespaces/default/deployments", workload("huge", 3, "1000"));
    const group = page.locator("#waiting li", { hasText: "huge" });
    await group.getByText("has no place").waitFor();
    expect(!await group.locator("details ul").isVisible(), "the reason is folded away at first");
    await group.locator("summary").click();
    const why = group.locator("details ul li").first();
    await why.waitFor();
    expect(/NodePool default/.test(await why.textContent()), "the reason names the NodePool: " + await why.textContent());
    await page.waitForTimeout(2500);
    expect(await why.isVisible(), "it stays open while the page goes on");
    await checkAccess(browser, demo.page, complaints);

    const before = await price();
    await call(demo.api, "PATCH", "/apis/apps/v1/namespaces/default/deployments/batch", { spec: { replicas: 0 } });
    await until("the price falls", async () => await price() < before * 0.75, 240);
    await until("the saving is told", async () => /an hour saved .* what would cost .* costs .* % less/.test(await page.locator("#told").textContent()));
    await until("the saving is realised", async () => parseFloat((await figure("Savings realised")).replace("$", "")) > 0);
    await page.locator("#history li", { hasText: "leaves" }).first().waitFor();
    console.log(`the price fell from $${before} to $${await price()}: ${await page.locator("#told").textContent()}`);
    await picture(browser, demo.page, phone, "page-phone.png", { colorScheme: "light" });
    await picture(browser, demo.page, desk, "page-desk.png", { colorScheme: "dark" });

    demo.child.kill("SIGTERM");
    const wasComplaining = complaints.length;
    await page.getByText("the connection is lost").waitFor();
    complaints.length = wasComplaining;  // The browser says so itself, in its console.
    await page.close();
  } finally {
    demo.child.kill("SIGKILL");
  }
  return complaints;
}

// Milliseconds between frames while the wheel turns; the state changes each second meanwhile.
async function scrollMany(browser) {
  const many = await serveMany(5000);
  const complaints = [];
  try {
    const page = await browser.newPage({ viewport: desk });
    listen(page, complaints);
    await page.goto(many.url);
    await until("5,000 nodes are there", async () => await page.locator(".node").count() === 5000);
    await page.mouse.move(400, 600);
    await page.waitForTimeout(1500);
    await page.evaluate(() => {
      globalThis.frames = [];
      const note = (at) => { globalThis.frames.push(at); requestAnimationFrame(note); };
      requestAnimationFrame(note);
    });
    for (let i = 0; i < 150; ++i) {
      await page.mouse.wheel(0, 120);
      await page.waitForTimeout(16);
    }
    const frames = await page.evaluate(() => globalThis.frames);
    expect(await page.evaluate(() => scrollY) > 3000, "it has scrolled");
    const gaps = frames.slice(1).map((at, i) => at - frames[i]).sort((a, b) => a - b);
    const at = (part) => gaps[Math.floor(part * (gaps.length - 1))];
    const rate = 1000 * gaps.length / (frames.at(-1) - frames[0]);
    console.log(`5,000 nodes scrolled: ${rate.toFixed(1)} frames a second; a frame took ${at(0.5).toFixed(1)} ms in the middle, ` +
      `${at(0.95).toFixed(1)} ms of 19 in 20, ${gaps.at(-1).toFixed(1)} ms at the most`);
    expect(at(0.5) < 17.5, `half of the frames come in a 60th of a second: ${at(0.5)} ms`);
    expect(rate > 50, `no less than 50 of 60 frames a second are shown: ${rate}`);
    await page.close();
  } finally {
    many.close();
  }
  return complaints;
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
let failed = false;
try {
  for (const check of [watchDemo, scrollMany]) {
    const began = Date.now();
    const complaints = await check(browser).catch((error) => [error.stack]);
    for (const one of new Set(complaints)) console.error(`${check.name}: ${one}`);
    failed ||= complaints.length > 0;
    console.log(`${check.name}: ${complaints.length ? "failed" : "passed"} in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  }
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
