// Saves light, dark and phone pictures of a report: node screenshots.mjs REPORT.html FOLDER [#t=205&p=12]
import { chromium } from "playwright-core";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [file, folder, hash = ""] = process.argv.slice(2);
const looks = {
  light: { viewport: { width: 1440, height: 960 }, colorScheme: "light" },
  dark: { viewport: { width: 1440, height: 960 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", deviceScaleFactor: 2 },
};
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [name, look] of Object.entries(looks)) {
  const page = await browser.newPage(look);
  page.on("console", message => console.log(name, message.type(), message.text()));
  page.on("pageerror", error => console.log(name, "error", error.stack));
  await page.goto(pathToFileURL(resolve(file)) + hash);
  await page.locator(".row").first().waitFor();
  await page.screenshot({
    path: `${folder}/${basename(file, ".html")}-${name}.png`,
    fullPage: process.env.FULL === name,
  });
}
await browser.close();
