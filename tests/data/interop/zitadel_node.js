// @zitadel/node, over gRPC.

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { createAccessTokenInterceptor } from "@zitadel/node/dist/api/interceptors.js";
import { createAdminClient } from "@zitadel/node/dist/api/clients.js";
import { ErrorDetail } from "@zitadel/node/dist/api/generated/zitadel/message.js";
import { SMTPConfigState } from "@zitadel/node/dist/api/generated/zitadel/settings.js";

import { Refused, read, run } from "./shared.js";

const given = read(process.argv);
const DETAILS = "grpc-status-details-bin";
const clients = new Map();

function clientOf(token) {
  if (!clients.has(token)) {
    const interceptors = token === null ? [] : [createAccessTokenInterceptor(token)];
    clients.set(token, createAdminClient(`http://${given.grpc}`, ...interceptors));
  }
  return clients.get(token);
}

// The fields of a message whose fields are all of variable length or all numbers, as pairs of number and value.
function fields(bytes) {
  const reader = new BinaryReader(bytes);
  const found = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    found.push([number, type === 0 ? reader.int32() : reader.bytes()]);
  }
  return found;
}

// The ErrorDetails in a google.rpc.Status, which the package has no type for: field 3 holds each as an Any.
function errorDetails(status) {
  const anys = fields(status).filter(([number]) => number === 3).map(([, any]) => new Map(fields(any)));
  const ours = anys.filter((any) => new TextDecoder().decode(any.get(1)).endsWith("/zitadel.v1.ErrorDetail"));
  return ours.map((any) => ErrorDetail.decode(any.get(2)));
}

async function call(credential, method, request) {
  let trailer;
  const options = { signal: AbortSignal.timeout(10_000), onTrailer: (metadata) => (trailer = metadata) };
  try {
    return await clientOf(credential)[method](request, options);
  } catch (error) {
    if (error.name !== "ClientError") throw error;
    const status = trailer?.get(DETAILS);
    throw new Refused(error.code, error.details, status ? errorDetails(status) : []);
  }
}

await run({ call, states: SMTPConfigState }, given);
// Connections are kept open for more calls; there are none.
process.exit();
