// A User-Agent as people call it; what is unknown stays as it is.
import { texts } from "../../texts.js";

const BROWSERS = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS X", "macOS"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]];

export function device(agent) {
  const [, browser] = BROWSERS.find(([sign]) => agent.includes(sign)) ?? [];
  const [, system] = SYSTEMS.find(([sign]) => agent.includes(sign)) ?? [];
  if (agent.startsWith("Mozilla/") && browser) return system ? texts.account.browserOn(browser, system) : browser;
  return agent || texts.account.unknownDevice;
}
