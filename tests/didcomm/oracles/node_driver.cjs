// Drives npm's `didcomm-node`: reads commands, one JSON object a line. Argument: the node_modules folder.
"use strict";

const path = require("node:path");
const readline = require("node:readline");
const { Message, FromPrior } = require(path.join(process.argv[2], "didcomm-node"));

const ENCS = {
  "XC20P": "Xc20pEcdhEsA256kw",
  "A256GCM": "A256gcmEcdhEsA256kw",
  "A256CBC-HS512": "A256cbcHs512EcdhEsA256kw",
};
let documents = new Map();
let secrets = new Map();

const resolver = { resolve: async (did) => documents.get(did) ?? null };
const keeper = {
  get_secret: async (kid) => secrets.get(kid) ?? null,
  find_secrets: async (kids) => kids.filter((kid) => secrets.has(kid)),
};

function load({ documents: docs, secrets: jwks }) {
  documents = new Map(docs.map((doc) => [doc.id, { service: [], ...doc }]));
  secrets = new Map(
    Object.entries(jwks).map(([id, jwk]) => [id, { id, type: "JsonWebKey2020", privateKeyJwk: jwk }]),
  );
  return null;
}

async function pack({ kind, message, to, sender, signer, enc = "XC20P" }) {
  const raw = { typ: "application/didcomm-plain+json", ...message };
  if (raw.from_prior !== undefined) {
    const [text] = await new FromPrior(raw.from_prior).pack(null, resolver, keeper);
    raw.from_prior = text;
  }
  const made = new Message(raw);
  if (kind === "signed") {
    return (await made.pack_signed(signer, resolver, keeper))[0];
  }
  const options = {
    forward: false,
    protect_sender: kind === "anoncrypt_authcrypt",
    enc_alg_anon: ENCS[enc],
  };
  return (await made.pack_encrypted(to, sender ?? null, signer ?? null, resolver, keeper, options))[0];
}

async function open({ packed }) {
  const [message, metadata] = await Message.unpack(packed, resolver, keeper, {});
  return {
    message: message.as_value(),
    authenticated: metadata.authenticated,
    encrypted: metadata.encrypted,
    signed: metadata.non_repudiation,
    anonymous_sender: metadata.anonymous_sender,
  };
}

async function time({ seconds, ...options }) {
  const spent = (began) => {
    const used = process.cpuUsage(began);
    return (used.user + used.system) / 1e6;
  };
  let best = 0;
  for (let round = 0; round < 3; round++) {
    let count = 0;
    const began = process.cpuUsage();
    while (spent(began) < seconds / 3) {
      await Message.unpack(await pack(options), resolver, keeper, {});
      count += 1;
    }
    best = Math.max(best, count / spent(began));
  }
  return { pairs_per_cpu_s: best, bytes: (await pack(options)).length };
}

const operations = { world: async (command) => load(command), pack, unpack: open, time };

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { op, ...command } = JSON.parse(line);
    let answer;
    try {
      answer = { result: await operations[op](command) };
    } catch (error) {
      answer = { error: String(error.message ?? error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

main();
