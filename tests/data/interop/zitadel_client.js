// @zitadel/client with @zitadel/proto; the last argument says over which transport: grpc, or grpc-web.

import { ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { createServerTransport } from "@zitadel/client/node";
import { createAdminServiceClient } from "@zitadel/client/v1";
import { createClientTransport } from "@zitadel/client/web";
import { ErrorDetailSchema } from "@zitadel/proto/zitadel/message_pb.js";
import { SMTPConfigState } from "@zitadel/proto/zitadel/settings_pb.js";

import { Refused, read, run } from "./shared.js";

const given = read(process.argv);
// With a token through the package's own transports; these always send one, so without it through what they stand on.
const [address, withToken, withoutToken] = {
  grpc: [given.grpc, createServerTransport, createGrpcTransport],
  "grpc-web": [given.rest, createClientTransport, createGrpcWebTransport],
}[given.more[0]];
const options = { baseUrl: `http://${address}`, defaultTimeoutMs: 10_000 };

const clients = new Map();

function clientOf(token) {
  if (!clients.has(token)) {
    clients.set(token, createAdminServiceClient(token === null ? withoutToken(options) : withToken(token, options)));
  }
  return clients.get(token);
}

async function call(credential, method, request) {
  try {
    return await clientOf(credential)[method](request);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const details = error.findDetails(ErrorDetailSchema).map(({ id, message }) => ({ id, message }));
    throw new Refused(error.code, error.rawMessage, details);
  }
}

await run({ call, states: SMTPConfigState }, given);
// Connections are kept open for more calls; there are none.
process.exit();
