// The report in a real browser, opened from a file as its readers do.
// PUNCHLAB=path/to/punchlab node --test       (CHROMIUM=path for another browser than Debian's)
// The pages of endpoints are those of an example, built beside the program: cargo build --bins --example endpoint_page

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const PUNCHLAB = resolve(process.env.PUNCHLAB ?? join(REPOSITORY, "target/release/punchlab"));

const ENDPOINT_PAGE = join(dirname(PUNCHLAB), "examples/endpoint_page");

const HOSTILE = `<script>alert(1)</script> "double" 'single' </script><!-- <img src=x onerror=alert(2)> &amp; \u05d0\u05d1\u05d2`;
const NETWORK = `
nats: { nat-a: symmetric, nat-b: symmetric }
servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
`;
const SCENARIOS = {
  long: `# A long call and a second one.
name: a long call${NETWORK}peers: { alice: { behind: nat-a }, bob: { behind: nat-b }, carol: {} }
calls: [alice -> bob, alice -> carol]
duration: 60s
`,
  hostile: `# A name that tries to be more than a name.
name: ${JSON.stringify(HOSTILE)}${NETWORK}peers: { alice: { behind: nat-a }, bob: { behind: nat-b } }
calls: [alice -> bob]
`,
};

let folder, browser;
const reports = {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "punchlab-report-"));
  const files = {
    relay: join(REPOSITORY, "scenarios/symmetric-x-symmetric.nat.yaml"),
    blocked: join(REPOSITORY, "scenarios/udp-blocked.nat.yaml"),
  };
  for (const [name, text] of Object.entries(SCENARIOS)) {
    files[name] = join(folder, `${name}.nat.yaml`);
    await writeFile(files[name], text);
  }
  await Promise.all(
    Object.entries(files).map(async ([name, file]) => {
      const path = join(folder, `${name}.html`);
      await report(file, path);
      reports[name] = { path, file, url: pathToFileURL(path).href };
    }),
  );
  await promisify(execFile)(ENDPOINT_PAGE, [folder]);
  for (const name of ["through", "filtered", "beside-a-call"]) {
    const path = join(folder, `${name}.html`);
    reports[name] = { path, url: pathToFileURL(path).href };
  }
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
});

after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/// An unmet expectation exits with 1 and is no matter here; a missing report is.
const report = (file, path) =>
  new Promise((done, fail) =>
    execFile(PUNCHLAB, ["report", file, "-o", path], error => (!error || error.code === 1 ? done() : fail(error))),
  );

/// Opens a report, hands the page to `look`, and demands that nothing was complained about or fetched.
async function reading(name, look, { hash = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [],
    requests = [];
  page.on("console", message => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", error => complaints.push(error.stack));
  page.on("dialog", dialog => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", request => requests.push(request.url().split("#")[0]));
  try {
    await page.goto(reports[name].url + hash);
    if (options.javaScriptEnabled !== false) await page.locator(".row").first().waitFor();
    await look(page);
    assert.deepEqual(complaints, []);
    assert.deepEqual(
      requests.filter(url => url !== reports[name].url && !url.startsWith("blob:")),
      [],
    );
  } finally {
    await context.close();
  }
}

const sliderAt = page => page.locator("#time").evaluate(slider => Number(slider.value));
const seek = (page, time) => page.locator("#time").fill(String(time));
const textOf = (page, selector) => page.locator(selector).innerText();
const rowCount = page => page.locator("[role=treeitem]").first().getAttribute("aria-setsize").then(Number);
const until = (page, condition, argument) => page.waitForFunction(condition, argument, { timeout: 10000 });
const sliderIs = (page, time) => until(page, wanted => Number(document.getElementById("time").value) === wanted, time);
const sliderMoved = (page, from) => until(page, old => Number(document.getElementById("time").value) !== old, from);

test("the verdict is seen at once, in a word, a colour and a sign", () =>
  reading("relay", async page => {
    const verdict = page.locator("article.verdict");
    assert.match(await verdict.innerText(), /relay/i);
    assert.match(await verdict.innerText(), /connected after \d+/);
    assert.equal(await verdict.locator(".stamp svg").count(), 1);
    assert.ok((await verdict.locator(".why li").count()) > 1);
  }));

test("without JavaScript the verdict can be read", () =>
  reading(
    "relay",
    async page => {
      assert.match(await textOf(page, "#verdict"), /relay[\s\S]*connected after/i);
      assert.equal(await page.locator("#bar").isVisible(), false);
    },
    { javaScriptEnabled: false },
  ));

test("a failed call says so", () =>
  reading("blocked", async page => {
    assert.match(await textOf(page, "article.verdict"), /failed[\s\S]*did not connect/i);
    assert.match(await textOf(page, "#drops"), /firewall-outbound/);
  }));

test("the slider moves, and the NAT tables follow", () =>
  reading("relay", async page => {
    await seek(page, 0);
    await until(page, () => document.getElementById("nats").innerText.includes("No mapping at this instant"));
    const before = await page.locator("#nats tbody tr").count();
    await seek(page, 300);
    await until(page, () => document.querySelectorAll("#nats tbody tr").length > 4);
    assert.equal(before, 0);
    assert.equal(await page.locator("#now").innerText(), "300 ms");
    assert.match(await page.locator("#time").getAttribute("aria-valuetext"), /^300 ms of/);
    assert.match(await textOf(page, "#agents"), /in-progress/);
  }));

test("the keyboard plays, steps, jumps, changes speed and explains itself", () =>
  reading("relay", async page => {
    await page.keyboard.press("Home");
    await sliderIs(page, 0);
    await page.keyboard.press("ArrowRight");
    await sliderMoved(page, 0);
    const one = await sliderAt(page);
    await page.keyboard.press("Shift+ArrowRight");
    await sliderMoved(page, one);
    const eleven = await sliderAt(page);
    assert.ok(eleven > one);
    await page.keyboard.press("ArrowLeft");
    await sliderMoved(page, eleven);
    assert.ok((await sliderAt(page)) < eleven);
    await page.keyboard.press("End");
    await until(page, () => document.getElementById("time").value === document.getElementById("time").max);

    await page.keyboard.press("Home");
    await page.keyboard.press("Space");
    await until(
      page,
      () => document.getElementById("play").innerText === "Pause" && Number(document.getElementById("time").value) > 0,
    );
    await page.keyboard.press("Space");
    await until(page, () => document.getElementById("play").innerText === "Play");

    const speed = await page.locator("#speed").inputValue();
    await page.keyboard.press("+");
    await until(page, old => Number(document.getElementById("speed").value) > Number(old), speed);

    await page.keyboard.press("?");
    await page.locator("#keys").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#keys").waitFor({ state: "hidden" });
  }));

test("play comes to the end by itself", () =>
  reading("relay", async page => {
    await page.locator("#speed").selectOption("10");
    await page.locator("#play").click();
    await until(
      page,
      () =>
        document.getElementById("time").value === document.getElementById("time").max &&
        document.getElementById("play").innerText === "Play",
    );
  }));

test("a link to a time and a packet is honoured, followed and written", () =>
  reading(
    "relay",
    async page => {
      await sliderIs(page, 205);
      await page.locator("#details").waitFor();
      assert.match(await textOf(page, "#details"), /packet\s+12,/);
      await page.keyboard.press("Home");
      await until(page, () => location.hash.startsWith("#t=0&"));
      await page.evaluate(() => {
        location.hash = "#t=150";
      });
      await sliderIs(page, 150);
    },
    { hash: "#t=205&p=12" },
  ));

test("a link to a time shows the packets of that time", () =>
  reading(
    "relay",
    async page => {
      const inSight = () => {
        const box = document.querySelector(".scroller").getBoundingClientRect();
        const rows = [...document.querySelectorAll(".row")].filter(row => {
          const { top, bottom } = row.getBoundingClientRect();
          return top >= box.top && bottom <= box.bottom;
        });
        return rows.some(row => /^300 ms/.test(row.innerText));
      };
      await until(page, inSight);
    },
    { hash: "#t=300" },
  ));

test("a row opens its details, by mouse and by keyboard", () =>
  reading("relay", async page => {
    await page.locator(".row", { hasText: "Binding success" }).first().click();
    const details = page.locator("#details");
    await details.waitFor();
    assert.match(await details.innerText(), /XOR-MAPPED-ADDRESS/);
    assert.match(await details.innerText(), /⇒/);
    await details.locator(".link").first().click();
    await until(page, () => document.getElementById("details-title").innerText === "Binding request");
    await page.keyboard.press("Escape");
    await details.waitFor({ state: "hidden" });

    await page.locator("#rows").focus();
    await page.keyboard.press("Home");
    await sliderIs(page, 0);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await until(page, () => document.activeElement.id === "details-title");
    await page.keyboard.press("Escape");
    await until(page, () => document.activeElement.id === "rows");
  }));

test("a packet that died says where, why and by which rule", () =>
  reading("relay", async page => {
    await page.locator("#drops button", { hasText: "nat-filtered" }).first().click();
    await page.locator("#details .bad").first().waitFor();
    const details = await textOf(page, "#details");
    assert.match(details, /died at nat-[ab]/);
    assert.match(details, /accepts only/);
    assert.match(details, /RFC 4787/);
  }));

test("what would have changed the call is one click away", () =>
  reading("relay", async page => {
    const whatIf = page.locator("details.what-if");
    assert.match(await whatIf.locator("summary").innerText(), /better: make nat-[ab]'s .* gives stun after \d+/);
    await whatIf.locator("summary").click();
    await whatIf.locator("li", { hasText: "--set nats.nat-b.filtering=endpoint-independent" }).waitFor();
    await whatIf.locator("li", { hasText: "switch turn off" }).waitFor();
  }));

test("a band of repeats opens and closes", () =>
  reading("long", async page => {
    await page.locator("#range").click();
    await page.locator("#rows").focus();
    await page.keyboard.press("End");
    await until(page, () => document.querySelector(".row.band"));
    const rows = await rowCount(page),
      band = page.locator(".row.band").first();
    assert.equal(await band.getAttribute("aria-expanded"), "false");
    const id = await band.getAttribute("id");
    await band.click();
    await until(page, wanted => document.getElementById(wanted)?.getAttribute("aria-expanded") === "true", id);
    assert.ok((await rowCount(page)) > rows);
    await page.keyboard.press("Enter");
    await until(page, wanted => document.getElementById(wanted)?.getAttribute("aria-expanded") === "false", id);
    assert.equal(await rowCount(page), rows);
  }));

test("filters leave fewer rows, are told, and are taken back", () =>
  reading("relay", async page => {
    const all = await rowCount(page);
    const fewer = async () => {
      await until(
        page,
        rows => Number(document.querySelector("[role=treeitem]").getAttribute("aria-setsize")) < rows,
        all,
      );
      assert.match(await textOf(page, ".count"), /^\d+ of \d+ shown$/);
      await page.locator("#reset").click();
      await until(
        page,
        rows => Number(document.querySelector("[role=treeitem]").getAttribute("aria-setsize")) === rows,
        all,
      );
    };
    await page.locator("[data-family=turn]").click();
    await fewer();
    await page.locator("#filter-dead").click();
    await fewer();
    await page.locator("#filter-text").fill("401");
    await fewer();
    await page.locator("#filter-node").selectOption({ label: "stun" });
    await fewer();
    await page.locator(".node[aria-label^='nat nat-b']").click();
    await page.locator("#node-info").waitFor();
    assert.match(await textOf(page, "#node-info"), /mapping/);
    await fewer();
  }));

test("every call has a tab with its verdict", () =>
  reading("long", async page => {
    const tabs = page.locator("[role=tab]");
    assert.equal(await tabs.count(), 2);
    await tabs.nth(0).focus();
    await page.keyboard.press("ArrowRight");
    await page.locator("#verdict-1").waitFor();
    assert.equal(await page.locator("#verdict-0").isVisible(), false);
    assert.match(await textOf(page, "#verdict-1"), /carol/);
    await page.locator("#agents", { hasText: "carol" }).waitFor();
  }));

test("endpoints have a verdict and a ladder", () =>
  reading("through", async page => {
    assert.equal(await page.locator("[role=tab]").count(), 0, "there is nothing else to look at");
    const verdict = await textOf(page, "article.verdict");
    assert.match(verdict, /endpoints[\s\S]*3 endpoints, all done after 222 ms/i);
    assert.match(verdict, /bob on 10\.0\.2\.2:\d+ was done after 222 ms/);
    assert.equal(await rowCount(page), 8);
    const heads = page.locator(".heads button strong");
    assert.deepEqual(await heads.allInnerTexts(), ["meeting", "home", "alice", "office", "bob"]);
    await sliderIs(page, 222);
    assert.equal(await page.locator("#agents").isVisible(), false);
    await page.locator(".row").first().click();
    await page.locator("#details").waitFor();
    assert.match(await textOf(page, "#details"), /✓ delivered to meeting/);
  }));

test("endpoints that are not done are named", () =>
  reading("filtered", async page => {
    assert.match(await textOf(page, ".headline"), /alice and bob are not done when the run ends/);
    assert.match(await textOf(page, "#drops"), /nat-filtered/);
  }));

test("endpoints have a tab after those of calls, with their own packets", () =>
  reading("beside-a-call", async page => {
    const tabs = page.locator("[role=tab]");
    assert.deepEqual(
      (await tabs.allInnerTexts()).map(text => text.replace(/\s+/g, " ").toLowerCase()),
      ["stun carol → dave", "endpoints meeting, alice, bob"],
    );
    await page.locator("#agents", { hasText: "carol" }).waitFor();
    await tabs.nth(1).click();
    await page.locator("#verdict-1").waitFor();
    await page.locator("#agents").waitFor({ state: "hidden" });
    const families = await page.locator(".chips button").evaluateAll(all => all.map(one => one.dataset.family));
    assert.deepEqual(families, ["data"]);
    await seek(page, 15);
    await until(page, () => document.querySelectorAll(".flying .link").length === 2);
    assert.match(await textOf(page, ".flying"), /→ 192\.0\.2\.10:7000/);
    await tabs.nth(0).click();
    await until(page, () => !document.querySelector(".flying").innerText.includes("192.0.2.10:7000"));
  }));

test("the downloads are what they say", () =>
  reading("relay", async page => {
    const saved = async label => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator(".downloads button", { hasText: label }).click(),
      ]);
      return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
    };
    const scenario = await saved("Scenario");
    assert.equal(scenario.name, "symmetric-x-symmetric.nat.yaml");
    assert.equal(scenario.bytes.toString(), await readFile(reports.relay.file, "utf8"));
    const lines = (await saved("JSON Lines")).bytes
      .toString()
      .trim()
      .split("\n")
      .map(line => JSON.parse(line));
    assert.equal(lines[0].event, "run");
    assert.equal(lines.at(-1).event, "outcome");
    const capture = await saved(/capture/i);
    assert.match(capture.name, /\.pcapng$/);
    assert.equal(capture.bytes.subarray(0, 4).toString("hex"), "0a0d0d0a");
  }));

test("a hostile name stays a name", () =>
  reading("hostile", async page => {
    assert.equal(await page.locator("h1").evaluate(title => title.textContent), HOSTILE);
    assert.equal(await page.title(), HOSTILE.replace(/\s+/g, " "));
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.locator("script").count(), 2);
    assert.equal(await page.locator("h1 bdi").evaluate(name => getComputedStyle(name).unicodeBidi), "isolate");
  }));

test("light and dark, by the system and by the button", () =>
  reading(
    "relay",
    async page => {
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await background();
      await page.emulateMedia({ colorScheme: "dark" });
      const dark = await background();
      assert.notEqual(light, dark);
      await page.locator("#theme").click();
      assert.equal(await background(), light);
    },
    { colorScheme: "light" },
  ));

test("on a phone nothing is wider than the page", () =>
  reading(
    "relay",
    async page => {
      const widths = () => page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      let [content, window] = await widths();
      assert.ok(content <= window, `${content} > ${window}`);
      await page.locator(".row").first().click();
      await page.locator("#details").waitFor();
      [content, window] = await widths();
      assert.ok(content <= window, `${content} > ${window} with details`);
      const scroller = await page.locator(".scroller").evaluate(one => [one.scrollWidth, one.clientWidth]);
      assert.ok(scroller[0] > scroller[1], "the ladder scrolls inside itself");
    },
    { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  ));

test("a long call stays small and quick", () =>
  reading("long", async page => {
    assert.ok((await stat(reports.long.path)).size < 2_000_000);
    await page.locator("#range").click();
    // What a change of time costs is counted in changed nodes, since a clock would measure the machine.
    const changes = await page.evaluate(async () => {
      let count = 0;
      const observer = new MutationObserver(records => (count += records.length));
      observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
      const slider = document.getElementById("time");
      for (let i = 0; i < 200; i++) {
        slider.value = (slider.max * i) / 200;
        slider.dispatchEvent(new Event("input"));
        await new Promise(requestAnimationFrame);
      }
      count += observer.takeRecords().length;
      return count / 200;
    });
    assert.ok(changes < 100, `${changes} changes of the document for one of the time`);
    assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) < 5000);
  }));

test("on paper all rows are shown and no controls", () =>
  reading("relay", async page => {
    const shown = await page.locator(".row").count();
    await page.emulateMedia({ media: "print" });
    const all = await rowCount(page);
    await until(page, rows => document.querySelectorAll(".row").length === Math.min(rows, 300), all);
    assert.ok(all > shown);
    for (const controls of ["#bar", "#tools", ".filters", ".downloads"])
      assert.equal(await page.locator(controls).isVisible(), false, controls);
    assert.equal(await page.locator(".row").last().isVisible(), true);
    await page.emulateMedia({ media: "screen" });
    await until(page, rows => document.querySelectorAll(".row").length < rows, all);
  }));

test("a page that is watched loads its new version by itself", async () => {
  const scenario = join(folder, "watched.nat.yaml"),
    path = join(folder, "watched.html");
  const text = SCENARIOS.hostile.replace(JSON.stringify(HOSTILE), "watched");
  await writeFile(scenario, text);
  const watching = spawn(PUNCHLAB, ["watch", scenario, "--html", path], { stdio: ["ignore", "pipe", "inherit"] });
  const page = await browser.newPage();
  try {
    await nextRun(watching);
    await page.goto(pathToFileURL(path).href + "#t=100");
    await page.locator("article.verdict", { hasText: "relay" }).waitFor();
    await writeFile(scenario, text.replace("nat-b: symmetric", "nat-b: full-cone"));
    await page.locator("article.verdict", { hasText: "stun" }).waitFor();
    await sliderIs(page, 100);
  } finally {
    await page.close();
    watching.kill();
  }
});

const nextRun = watching =>
  new Promise(done => {
    let seen = "";
    watching.stdout.on("data", chunk => (seen += chunk).includes("\nwatching ") && done());
  });

test("who wants no motion sees one event after the other", () =>
  reading(
    "relay",
    async page => {
      await page.locator("#play").click();
      await until(page, () => Number(document.getElementById("time").value) === 16);
    },
    { reducedMotion: "reduce" },
  ));
