// The calls that every client makes, and how it tells what it decoded: one line of JSON for each check.

/** What a call came to when it was refused. */
export class Refused extends Error {
  constructor(code, message, details) {
    super(message);
    this.told = { code, message, details };
  }
}

/** A decoded value as JSON that keeps its type: 64-bit integers, times and enums say what they are. */
export function plain(value, states) {
  if (Array.isArray(value)) return value.map((inner) => plain(inner, states));
  if (typeof value === "bigint") return { integer: value.toString() };
  if (value === null || typeof value !== "object") return value ?? null;
  if (typeof value.toUnsigned === "function") return { integer: value.toString() };
  if (value instanceof Date) return { seconds: value.getTime() / 1000 };
  if ("seconds" in value && "nanos" in value) return { seconds: Number(value.seconds), nanos: value.nanos };
  const shown = Object.entries(value).filter(([name]) => !name.startsWith("$"));
  return Object.fromEntries(
    shown.map(([name, inner]) => [name, name === "state" ? [inner, states[inner]] : plain(inner, states)]),
  );
}

const SETTINGS = {
  senderAddress: "noreply@example.com",
  senderName: "Grüße ✉",
  tls: true,
  host: "smtp.example.com:587",
  user: "mailer",
  replyToAddress: "help@example.com",
  description: "independent client",
};
const DETAIL = { "@type": "type.googleapis.com/zitadel.v1.ErrorDetail", id: "TEST-1", message: "größer ✉" };
const ODD = "100 % größer: %41 ✉";

/**
 * Run all checks. `client.call(credential, method, request)` gives the decoded message or throws `Refused`;
 * `client.states` names the states by number; `given` holds the mock's addresses and credentials.
 */
export async function run(client, given) {
  const tell = (check, seen) => process.stdout.write(`${JSON.stringify({ check, ...seen })}\n`);

  async function check(name, method, request, credential = given.admin) {
    try {
      const answer = await client.call(credential, method, request);
      tell(name, { answer: plain(answer, client.states) });
      return answer;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return tell(name, { refusal: error.told });
    }
  }

  // The mock's next answer to reading is the given one.
  async function scripted(status, body) {
    const fault = JSON.stringify({ operation: "getSmtpConfigById", status, body });
    const headers = { "content-type": "application/json" };
    const told = await fetch(`http://${given.rest}/__mock/faults`, { method: "POST", headers, body: fault });
    if (!told.ok) throw new Error(`the mock takes no fault: ${await told.text()}`);
  }

  const { id } = await check("add", "addSMTPConfig", { ...SETTINGS, password: "first-password" });
  await check("get-added", "getSMTPConfigById", { id });
  await check("password-inactive", "updateSMTPConfigPassword", { id, password: "second-password" });
  await check("activate", "activateSMTPConfig", { id });
  await check("activate-again", "activateSMTPConfig", { id });
  await check("password", "updateSMTPConfigPassword", { id, password: "second-password" });
  await check("email-password", "updateEmailProviderSMTPPassword", { id, password: "" });
  await check("get-active", "getSMTPConfigById", { id });
  await check("list", "listSMTPConfigs", { query: { limit: 100 } });
  await check("list-no-permission", "listSMTPConfigs", {}, given.unprivileged);

  const update = { id, password: "third-password" };
  await check("no-credential", "updateSMTPConfigPassword", update, null);
  await check("bad-credential", "updateSMTPConfigPassword", update, `${given.admin}x`);
  await check("no-permission", "updateSMTPConfigPassword", update, given.unprivileged);
  const long = { id: "9".repeat(101), password: "third-password" };
  await check("long-id", "updateSMTPConfigPassword", long);
  await check("long-id-email", "updateEmailProviderSMTPPassword", long);
  await check("long-id-get", "getSMTPConfigById", { id: long.id });
  const unknown = { id: "9".repeat(100), password: "third-password" };
  await check("password-unknown", "updateSMTPConfigPassword", unknown);
  await check("get-unknown", "getSMTPConfigById", { id: unknown.id });

  await check("deactivate", "deactivateSMTPConfig", { id });
  await check("remove", "removeSMTPConfig", { id });
  await check("get-removed", "getSMTPConfigById", { id });
  await check("list-removed", "listSMTPConfigs", {});
  await check("password-removed", "updateSMTPConfigPassword", update);
  await check("email-password-removed", "updateEmailProviderSMTPPassword", update);
  await check("remove-again", "removeSMTPConfig", { id });

  const details = { sequence: "18446744073709551615", changeDate: "2001-02-03T04:05:06.123456789Z" };
  await scripted(200, { smtpConfig: { id: "1", details } });
  await check("widest", "getSMTPConfigById", { id });
  await scripted(409, { code: 6, message: ODD });
  await check("odd-message", "getSMTPConfigById", { id });
  await scripted(409, { code: 6, message: ODD, details: [DETAIL, { ...DETAIL, id: "TEST-2" }] });
  await check("odd-details", "getSMTPConfigById", { id });
}

/** The mock's addresses and credentials, as the test gives them on the command line, and what follows them. */
export function read(argv) {
  const [rest, grpc, admin, unprivileged, ...more] = argv.slice(2);
  return { rest, grpc, admin, unprivileged, more };
}
