// What JavaScript clients of the API do, in one program: `node client.mjs http://127.0.0.1:8484`.
// Prints one line for each habit, "ok NAME" or "failed NAME: why"; every habit is one that was seen in the field.

import http from "node:http";

const base = process.argv[2];
const service = `${base}/MainService.svc/json`;
const keys = { ApiKey: "bocau-dev", SecretKey: "bocau-dev-secret" };
const sms = {
  ...keys,
  Content: "4821 la ma xac minh dang ky Baotrixemay cua ban",
  Phone: "0901234567",
  Brandname: "Baotrixemay",
  SmsType: "2",
};

// A validator that one client has: anything else is thrown away.
function strict(reply) {
  if (typeof reply.CodeResult !== "string") throw new Error(`CodeResult is no string: ${JSON.stringify(reply)}`);
  if (!Number.isInteger(reply.CountRegenerate) || reply.CountRegenerate < 0) throw new Error("CountRegenerate");
  if (reply.CodeResult !== "100") throw new Error(JSON.stringify(reply));
  if (typeof reply.SMSID !== "string") throw new Error("SMSID is no string");
  return reply;
}

async function post(url, body, headers = { "Content-Type": "application/json" }) {
  const answer = await fetch(url, { method: "POST", body, headers, redirect: "error" });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`); // as axios does, before the body is read
  return answer.json();
}

// fetch forbids a body with GET; a workflow tool sends one all the same.
function getWithBody(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "GET", headers: { "Content-Length": body.length } }, (answer) => {
      let text = "";
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => resolve(JSON.parse(text)));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const habits = {
  "json with a slash at the end": async () =>
    strict(await post(`${service}/SendMultipleMessage_V4_post_json/`, JSON.stringify(sms))),
  "json without a slash and without a type": async () =>
    strict(await post(`${service}/SendMultipleMessage_V4_post_json`, Buffer.from(JSON.stringify(sms)), {})),
  "json to the get operation": async () =>
    strict(await post(`${service}/SendMultipleMessage_V4_get`, JSON.stringify(sms))),
  "json to an xml path, json back": async () =>
    strict(
      await post(service.replace("/json", "/xml") + "/SendMultipleMessage_V4_post_json/", JSON.stringify(sms)),
    ),
  "numbers for texts, empty optional members": async () =>
    strict(
      await post(
        `${service}/SendMultipleMessage_V4_post_json/`,
        JSON.stringify({ ...sms, SmsType: 2, Phone: 901234567, IsUnicode: 0, Sandbox: 0, RequestId: "", SendDate: null }),
      ),
    ),
  "foreign members and a foreign query": async () =>
    strict(
      await post(
        `${service}/SendMultipleMessage_V4_post_json/?n8n=nqdev`,
        JSON.stringify({ ...sms, baseUrl: base, PartnerSource: 5, Params: [{ code: 1 }], code: {}, page: [] }),
      ),
    ),
  "query built by URLSearchParams": async () => {
    const answer = await fetch(`${service}/SendMultipleMessage_V4_get?${new URLSearchParams(sms)}`);
    strict(await answer.json());
  },
  "upper-case JSON in the path": async () =>
    strict(await post(`${base}/mainservice.svc/JSON//SendMultipleMessage_V4_post_json`, JSON.stringify(sms))),
  "a wrong key is a result and no error": async () => {
    const reply = await post(
      `${service}/SendMultipleMessage_V4_post_json/`,
      JSON.stringify({ ...sms, SecretKey: "wrong" }),
    );
    if (reply.CodeResult !== "101" || reply.ErrorMessage !== "Authorize Failed") throw new Error(JSON.stringify(reply));
  },
  "status twice, soon after the send": async () => {
    const sent = strict(await post(`${service}/SendMultipleMessage_V4_post_json/`, JSON.stringify(sms)));
    const query = new URLSearchParams({ RefId: sent.SMSID, ApiKey: keys.ApiKey, Secretkey: keys.SecretKey });
    for (const wait of [350, 300]) {
      await new Promise((resume) => setTimeout(resume, wait));
      const status = await (await fetch(`${service}/GetSendStatus?${query}`)).json();
      if (status.CodeResponse !== "100" || typeof status.SendStatus !== "number") throw new Error(JSON.stringify(status));
      if (status.SendStatus === 4 || (status.SendStatus === 5 && status.SendFailed > 0)) throw new Error("failed");
    }
  },
  "credential test by balance": async () => {
    const balance = await (await fetch(`${service}/GetBalance/${keys.ApiKey}/${keys.SecretKey}`)).json();
    if (balance.CodeResponse === "101" || typeof balance.Balance !== "number") throw new Error(JSON.stringify(balance));
    const wrong = await (await fetch(`${service}/GetBalance/${keys.ApiKey}/wrong`)).json();
    if (wrong.CodeResponse !== "101") throw new Error(JSON.stringify(wrong));
  },
  "list of brandnames by a get with a body": async () => {
    for (const name of ["GetListBrandname", "GetListBrandnameV2"]) {
      const listed = await getWithBody(`${service}/${name}/${keys.ApiKey}/${keys.SecretKey}`, "{}");
      if (!listed.ListBrandName.some((row) => row.Brandname === "Baotrixemay")) throw new Error(JSON.stringify(listed));
    }
  },
};

for (const [name, habit] of Object.entries(habits)) {
  try {
    await habit();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`failed ${name}: ${error.message}`);
  }
}
