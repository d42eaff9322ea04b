// A log-in by one-time code with nothing but fetch. ESMS_BASE_URL, ESMS_API_KEY and ESMS_SECRET_KEY say whom to call:
// `bocau dev` here, a bocau or eSMS in production. Its test is login.test.mjs.
import { randomInt, randomUUID } from "node:crypto";

const { ESMS_BASE_URL = "https://rest.esms.vn", ESMS_API_KEY, ESMS_SECRET_KEY } = process.env;

/** Sends a fresh code to a phone and returns it. Throws what the API says if it is not accepted. */
export async function sendCode(phone) {
  const code = String(randomInt(1_000_000)).padStart(6, "0");
  const answer = await fetch(`${ESMS_BASE_URL}/MainService.svc/json/SendMultipleMessage_V4_post_json/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      ApiKey: ESMS_API_KEY,
      SecretKey: ESMS_SECRET_KEY,
      Phone: phone,
      Content: `${code} la ma dang nhap Bocau cua ban`,
      Brandname: "Bocau",
      SmsType: "2",
      RequestId: randomUUID(),
    }),
  });
  const told = await answer.json();
  if (told.CodeResult !== "100") throw new Error(`${told.CodeResult} ${told.ErrorMessage ?? ""}`);
  return code;
}
