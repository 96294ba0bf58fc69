/**
 * Loaded into the gate by NODE_OPTIONS: names that stand in the JSON file `TEST_NAMES` have the addresses that it
 * says, from one question to the next; a name with none does not exist. All others are asked as ever.
 */
import { readFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';

const dns = createRequire(import.meta.url)('node:dns');
const { lookup } = dns;
dns.lookup = (name, options, callback) => {
  const addresses = JSON.parse(readFileSync(process.env.TEST_NAMES, 'utf8'))[name];
  if (addresses === undefined) return lookup(name, options, callback);
  const done = callback ?? options;
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const [first] = all;
  process.nextTick(() => {
    if (first === undefined) {
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }));
    } else if (options.all) done(null, all);
    else done(null, first.address, first.family);
  });
};
syncBuiltinESMExports();
