import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileContracts, contractsRoot } from './compile.ts';

const files = compileContracts();
for (const folder of new Set([...files.keys()].map((path) => dirname(path)))) {
  mkdirSync(join(contractsRoot, folder), { recursive: true });
  // A contract that was renamed must not leave its old artifact behind.
  for (const file of readdirSync(join(contractsRoot, folder))) {
    if (!files.has(`${folder}/${file}`)) rmSync(join(contractsRoot, folder, file));
  }
}
for (const [path, content] of files) {
  writeFileSync(join(contractsRoot, path), content);
  console.log(`wrote contracts/${path}`);
}
