// node verify.mjs JAR BUNDLE PUBLIC_KEY: does sigstore's own verifier take the bundle, and is its statement about this jar?
// Exit code: 0 yes, 1 no.
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';

const [jar, bundleFile, keyFile] = process.argv.slice(2);
const publicKey = createPublicKey(readFileSync(keyFile));
const bundle = bundleFromJSON(JSON.parse(readFileSync(bundleFile, 'utf8')));
const trust = {
  publicKey: () => ({ publicKey, validFor: () => true }),
  certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [],
};
try {
  // A key that is known needs neither log nor timestamp.
  new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0, tsaThreshold: 0 })
    .verify(toSignedEntity(bundle));
} catch (refused) {
  console.log(`not verified: ${refused.message}`);
  process.exit(1);
}
const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString('utf8'));
const digest = createHash('sha256').update(readFileSync(jar)).digest('hex');
if (statement.subject[0].digest.sha256 !== digest) {
  console.log('not verified: the statement is about another jar');
  process.exit(1);
}
console.log(`verified ${statement.predicate.tool}@${statement.predicate.version}`);
