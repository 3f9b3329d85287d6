// node sign.mjs STATEMENT PRIVATE_KEY KEY_ID: prints a bundle over the statement, made by sigstore's own code.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bundleToJSON } from '@sigstore/bundle';
import { DSSEBundleBuilder } from '@sigstore/sign';

const [statementFile, keyFile, hint] = process.argv.slice(2);
const key = createPrivateKey(readFileSync(keyFile));
const digest = key.asymmetricKeyType === 'ec' ? 'sha256' : null;
const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' });
const signer = {
  sign: async (message) => ({ signature: sign(digest, message, key), key: { $case: 'publicKey', publicKey, hint } }),
};
const bundle = await new DSSEBundleBuilder({ signer, witnesses: [] })
  .create({ data: readFileSync(statementFile), type: 'application/vnd.in-toto+json' });
process.stdout.write(JSON.stringify(bundleToJSON(bundle)));
