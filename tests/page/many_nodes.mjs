// The page of this tree with a state of so many nodes, a few of which change each second.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const html = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../../web/page.html"));
const types = ["m7g.large", "c7g.xlarge", "r7i.2xlarge", "c6g.4xlarge"];

function node(i) {
  const part = (i * 37 % 90 + 5) / 100;
  return { name: `ip-10-0-${i >> 8}-${i & 255}.eu-west-1.compute.internal`, claim: `default-${i.toString(36)}`, pool: ["default", "batch"][i % 2],
    type: types[i % 4], zone: "eu-west-1" + "abc"[i % 3], capacityType: i % 5 ? "on-demand" : "spot", pricePerHour: 0.1 + (i % 7) / 10,
    createdAt: "2027-03-10T10:00:00Z", state: "ready", cpu: { requested: 8 * part, allocatable: 8 }, memory: { requested: 2 ** 34 * part, allocatable: 2 ** 34 },
    pods: 12, shares: Array.from({ length: 12 }, () => Math.round(1000 * part / 12)), underWay: null,
    kept: { rule: "no-better-place", sentence: "no other set of nodes holds its pods for less", whatWouldChange: "other pods, or other prices" } };
}

export async function serveMany(count) {
  const nodes = Array.from({ length: count }, (_, i) => node(i)).sort((a, b) => (a.name < b.name ? -1 : 1));
  let step = 0;
  const state = () => {
    for (let i = 0; i < 20; ++i) nodes[(step * 131 + i * 7) % count].pods = 10 + step % 5;
    ++step;
    const price = nodes.reduce((sum, one) => sum + one.pricePerHour, 0);
    const sum = { requested: 0, allocatable: 1 };
    return { at: new Date().toISOString(), version: "test",
      now: { nodes: count, pods: 12 * count, pricePerHour: price, boundPerHour: price * 0.9, promisedPerHour: 1, realisedPerHour: 1,
        unpricedNodes: [], unpricedNodesCount: 0 },
      pools: ["batch", "default"].map((name) => ({ name, nodes: count / 2, pricePerHour: price / 2, cpu: sum, memory: sum })),
      nodes, nodesCutOff: 0, waiting: [], waitingPods: 0, waitingCutOff: 0, underWay: [], money: [], moneyCutOff: 0, history: [], historyCutOff: 0 };
  };
  const answers = { "/page": () => html, "/page/state.json": () => JSON.stringify(state()),
    "/page/history.json": () => JSON.stringify({ at: "", history: [] }), "/page/money.json": () => JSON.stringify({ at: "", money: [] }) };
  const server = createServer((request, response) => {
    const answer = answers[request.url];
    response.writeHead(answer ? 200 : 404, { "Content-Type": request.url === "/page" ? "text/html; charset=utf-8" : "application/json" });
    response.end(answer ? answer() : "{}");
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { url: `http://localhost:${server.address().port}/page`, close: () => server.closeAllConnections() || server.close() };
}
