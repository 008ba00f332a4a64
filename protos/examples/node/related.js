// Prints the papers that are related to one paper: node related.js ADDRESS PAPER_ID
// Reads the .proto files as they are; generated.js shows the same with generated code.
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [address, paperId] = process.argv.slice(2);
const definition = loadSync("relatedpapers/v1/recommendation_service.proto", {
  includeDirs: [fileURLToPath(new URL("../..", import.meta.url))],
});
const { RecommendationService } = grpc.loadPackageDefinition(definition).relatedpapers.v1;
const client = new RecommendationService(address, grpc.credentials.createInsecure());
const listRelatedPapers = promisify(client.listRelatedPapers).bind(client);

const { results } = await listRelatedPapers(
  { paperIds: [paperId], pageSize: 5 },
  { deadline: Date.now() + 5000 },
);
for (const { score, paper } of results) {
  console.log(`${score.toFixed(2)}  ${paper.title} (${paper.year})`);
}
client.close();
