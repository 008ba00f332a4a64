// Prints the papers that are related to one paper: node generated.js ADDRESS PAPER_ID
// Uses the typed code that `buf generate` writes into gen/.
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { RecommendationService } from "./gen/relatedpapers/v1/recommendation_service_pb.js";

const [address, paperId] = process.argv.slice(2);
const transport = createGrpcTransport({ baseUrl: `http://${address}`, defaultTimeoutMs: 5000 });
const client = createClient(RecommendationService, transport);

const { results } = await client.listRelatedPapers({ paperIds: [paperId], pageSize: 5 });
for (const { score, paper } of results) {
  console.log(`${score.toFixed(2)}  ${paper.title} (${paper.year})`);
}
