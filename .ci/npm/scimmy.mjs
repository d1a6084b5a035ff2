// An independent SCIM 2.0 server on loopback: scimmy and scimmy-routers on express, resources in memory.
// It prints its URL, and GET /requests beside the base URL tells the last requests and how they were answered.
//
//   SCIM_TOKEN   the bearer token that is asked for; without it every request is let in
import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const { Error: SCIMError } = SCIMMY.Types;
const token = process.env.SCIM_TOKEN;

// store keeps resources of one type by id and refuses a second one with the same unique value.
function store(resource, unique) {
  const rows = new Map();
  const find = (id) => {
    if (!rows.has(id)) throw new SCIMError(404, null, `Resource ${id} not found`);
    return rows.get(id);
  };
  const taken = (row) => [...rows.values()].some((r) =>
    r.id !== row.id && String(r[unique]).toLowerCase() === String(row[unique]).toLowerCase());

  resource.ingress((request, data) => {
    const old = request.id ? find(request.id) : undefined;
    const row = { ...JSON.parse(JSON.stringify(data)), id: old?.id ?? randomUUID() };
    if (taken(row)) throw new SCIMError(409, "uniqueness", `${unique} '${row[unique]}' is taken`);
    const now = new Date().toISOString();
    row.meta = { created: old?.meta.created ?? now, lastModified: now };
    rows.set(row.id, row);
    return structuredClone(row);
  });
  resource.egress((request) => {
    if (request.id) return structuredClone(find(request.id));
    const all = structuredClone([...rows.values()]);
    return request.filter ? request.filter.match(all) : all;
  });
  resource.degress((request) => {
    find(request.id);
    rows.delete(request.id);
  });
  SCIMMY.Resources.declare(resource);
}

SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser);
store(SCIMMY.Resources.User, "userName");
store(SCIMMY.Resources.Group, "displayName");

const app = express();
const requests = [];
app.get("/requests", (req, res) => res.send(requests));
app.use((req, res, next) => {
  res.on("finish", () => {
    requests.push({ method: req.method, url: req.originalUrl, status: res.statusCode, body: req.body });
    requests.splice(0, requests.length - 5000); // a bound, not a promise
  });
  next();
});
app.use("/scim/v2", new SCIMMYRouters({
  type: "bearer",
  handler: (req) => {
    if (token && req.header("Authorization") !== `Bearer ${token}`) throw new Error("Authorization not accepted");
    return "tester";
  },
}));

const server = app.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/scim/v2`);
});
process.stdin.on("end", () => process.exit(0)).resume(); // whoever started it has gone
