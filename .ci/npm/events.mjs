// An independent receiver of security event tokens on loopback: it takes pushes (RFC 8935) and polls (RFC 8936), and
// verifies both with jose. It prints its URL; GET /taken tells what it has taken, in order, and GET /faults what was wrong.
//
//   SET_ISSUER, SET_AUDIENCE, SET_JWKS   what a token must be from, for whom, and where the keys are
//   POLL_URL, POLL_TOKEN                 the endpoint that is polled, and its bearer token; without them nothing is polled
import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { SET_ISSUER: issuer, SET_AUDIENCE: audience, SET_JWKS: jwks, POLL_URL: pollURL, POLL_TOKEN: pollToken } = process.env;
const keys = createRemoteJWKSet(new URL(jwks), { cooldownDuration: 100 });
const taken = [], faults = [];

// verify holds a token to RFC 8417, sections 2 and 4, and RFC 9967, section 2.1.
async function verify(token) {
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience, typ: "secevent+jwt", maxTokenAge: "1h" });
  const wrong = (what) => { throw new Error(`${what}: ${JSON.stringify(payload)}`); };
  if (!protectedHeader.kid || !["ES256", "RS256"].includes(protectedHeader.alg)) wrong("header");
  if (!payload.jti || !payload.txn || !Number.isInteger(payload.iat) || !Number.isInteger(payload.toe)) wrong("jti, txn, iat or toe");
  if ("sub" in payload || "exp" in payload) wrong("sub or exp");
  if (payload.sub_id?.format !== "scim" || !payload.sub_id.uri?.startsWith("/")) wrong("sub_id");
  const events = Object.entries(payload.events ?? {});
  if (!events.length || events.some(([uri, p]) => !uri.startsWith("urn:ietf:params:scim:event:") || typeof p !== "object")) wrong("events");
  return payload;
}

const server = createServer(async (req, res) => {
  const answer = (status, body) => res.writeHead(status, { "Content-Type": "application/json" }).end(body && JSON.stringify(body));
  if (req.url === "/taken") return answer(200, taken);
  if (req.url === "/faults") return answer(200, faults);
  const chunks = [];
  try {
    for await (const chunk of req) chunks.push(chunk);
    if (req.method !== "POST" || req.headers["content-type"] !== "application/secevent+jwt") throw new Error(`${req.method} of ${req.headers["content-type"]}`);
    taken.push({ by: "push", ...await verify(Buffer.concat(chunks).toString()) });
    answer(202);
  } catch (e) {
    if (e.code === "ECONNRESET") return; // the sender has died
    faults.push(String(e));
    answer(400, { err: "invalid_request", description: String(e) });
  }
});

async function poll() {
  let ack = [];
  for (;;) {
    try {
      const res = await fetch(pollURL, {
        method: "POST", body: JSON.stringify({ maxEvents: 20, ack }),
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${pollToken}` },
      });
      if (res.status !== 200 || res.headers.get("content-type") !== "application/json") throw new Error(`poll: ${res.status} ${await res.text()}`);
      const { sets } = await res.json();
      const page = [];
      for (const [jti, token] of Object.entries(sets)) { // in the order in which they stand
        const payload = await verify(token);
        if (payload.jti !== jti) throw new Error(`${payload.jti} under ${jti}`);
        page.push(payload);
      }
      for (const payload of page) taken.push({ by: "poll", ...payload });
      ack = Object.keys(sets);
    } catch (e) {
      if (e.cause || e instanceof TypeError || e.code === "ERR_JOSE_GENERIC" || e.code === "ERR_JWKS_TIMEOUT") { // the server is away
        await new Promise((done) => setTimeout(done, 50));
        continue;
      }
      faults.push(String(e));
      return;
    }
  }
}

server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
  if (pollURL) poll();
});
process.stdin.resume().on("end", () => process.exit()); // it ends with whoever started it
