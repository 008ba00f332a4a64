// The papers that are related to one paper, asked by a page's script (or Node 20) with connect-web:
//   await related("http://127.0.0.1:8080", "arXiv:1706.03762", "connect")
// protocol: connect (a GET of JSON, which caches keep), connect-binary or grpc-web.
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { RecommendationService } from "./gen/relatedpapers/v1/recommendation_service_pb.js";

const transports = {
  connect: (options) => createConnectTransport({ ...options, useHttpGet: true }),
  "connect-binary": (options) => createConnectTransport({ ...options, useBinaryFormat: true }),
  "grpc-web": createGrpcWebTransport,
};

export async function related(baseUrl, paperId, protocol = "connect") {
  const transport = transports[protocol]({ baseUrl, defaultTimeoutMs: 5000 });
  const client = createClient(RecommendationService, transport);
  const { results } = await client.listRelatedPapers({ paperIds: [paperId], pageSize: 5 });
  return results.map(({ score, paper }) => `${score.toFixed(2)}  ${paper.title} (${paper.year})`);
}
