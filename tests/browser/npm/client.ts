// The same question over each protocol and each encoding that connect-web speaks in a browser.
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { toBinary } from "@bufbuild/protobuf";
import {
  ListRelatedPapersResponseSchema,
  RecommendationService,
} from "./gen/relatedpapers/v1/recommendation_service_pb.js";

function transport(name: string, baseUrl: string): Transport {
  switch (name) {
    case "connect-json":
      return createConnectTransport({ baseUrl });
    case "connect-binary":
      return createConnectTransport({ baseUrl, useBinaryFormat: true });
    case "connect-json-get":
      return createConnectTransport({ baseUrl, useHttpGet: true });
    case "connect-binary-get":
      return createConnectTransport({ baseUrl, useBinaryFormat: true, useHttpGet: true });
    case "grpc-web":
      return createGrpcWebTransport({ baseUrl });
    default:
      throw new Error(name);
  }
}

/** The answer as bytes, or how it failed. */
async function ask(name: string, baseUrl: string, paperId: string): Promise<number[] | string> {
  const client = createClient(RecommendationService, transport(name, baseUrl));
  try {
    const answer = await client.listRelatedPapers({
      paperIds: [paperId],
      pageSize: 5,
      includeEvidence: true,
    });
    return [...toBinary(ListRelatedPapersResponseSchema, answer)];
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return `${Code[code]}: ${rawMessage}`;
  }
}

Object.assign(window, { ask });
