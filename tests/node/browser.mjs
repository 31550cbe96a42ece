// A person at a browser. The journey is JSON on stdin: {url, steps: [[what, ...with]]}; on stdout is
// a line of JSON: what `read` steps have found, what the page has logged as errors, and a failure.
import puppeteer from "puppeteer-core";
import { text } from "node:stream/consumers";

const { executable, url, steps } = JSON.parse(await text(process.stdin));
const browser = await puppeteer.launch({
  executablePath: executable,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
const told = { read: [], errors: [], failure: null };
let page = await browser.newPage();
page.setDefaultTimeout(60000);
page.on("console", (line) => line.type() === "error" && told.errors.push(line.text()));
page.on("pageerror", (error) => told.errors.push(String(error)));

const steps_ = {
  click: async (selector) => (await page.waitForSelector(selector)).evaluate((it) => it.click()),
  fill: (selector, value) => page.locator(selector).fill(value),
  see: (words) => page.waitForFunction((w) => document.body.innerText.includes(w), {}, words),
  until: (expression) => page.waitForFunction(expression),
  read: async (expression) => told.read.push(await page.evaluate(expression)),
  // What was opened by a click, until it is closed.
  async popup(selector, ...inside) {
    const popup = new Promise((found) => page.once("popup", found));
    await steps_.click(selector);
    const before = page;
    page = await popup;
    page.setDefaultTimeout(60000);
    const closed = new Promise((done) => page.once("close", done));
    for (const [what, ...given] of inside) await steps_[what](...given);
    await closed;
    page = before;
  },
};
let step = "goto";
try {
  await page.goto(url);
  for (step of steps) await steps_[step[0]](...step.slice(1));
} catch (error) {
  told.failure = `${error} in ${step} at ${page.url().replace(/[?#].*/, "")}`;
}
await browser.close();
console.log(JSON.stringify(told));
