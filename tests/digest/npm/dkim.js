// Does with one mail what relays do: `node dkim.js sign` puts a DKIM signature before the mail of
// standard input, with the key of the file key.pem; `verify` says what a receiver makes of it.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";

const [command, canonicalization, headerList] = process.argv.slice(2);
const mail = readFileSync(0);
const privateKey = readFileSync("key.pem");

if (command === "sign") {
  const signatureData = [{ signingDomain: "papers.example", selector: "digest", privateKey }];
  const { signatures, errors } = await dkimSign(mail, { canonicalization, headerList, signatureData });
  if (errors.length > 0) throw errors[0].err;
  process.stdout.write(Buffer.concat([Buffer.from(signatures), mail]));
} else {
  const key = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const record = `v=DKIM1; k=rsa; p=${key.toString("base64")}`;
  const { results } = await dkimVerify(mail, { resolver: async () => [[record]] });
  console.log(JSON.stringify(results.map(({ status, signingHeaders, format }) => ({
    result: status.result,
    aligned: status.aligned,
    format,
    headers: signingHeaders?.keys.toLowerCase().split(/: ?/),
  }))));
}
