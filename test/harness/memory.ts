import { readdirSync, readFileSync } from 'node:fs';

/** The resident memory of a process and of all its descendants, in octets; `null` where /proc has no say. */
export function residentBytes(pid: number): number | null {
  const members = processTree(pid);
  if (members === null) return null;
  let total = 0;
  for (const member of members) total += residentBytesOf(member);
  return total;
}

/** The pid and those of all its descendants, the process itself first; `null` where there is no /proc. */
export function processTree(pid: number): readonly number[] | null {
  const parents = new Map<number, number>();
  try {
    for (const name of readdirSync('/proc')) {
      if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(Number(name)));
    }
  } catch {
    return null;
  }
  const tree = [pid];
  for (const member of tree) {
    for (const [child, parent] of parents) if (parent === member) tree.push(child);
  }
  return tree;
}

function parentOf(pid: number): number {
  try {
    // The name, in parentheses, may itself hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

function residentBytesOf(pid: number): number {
  try {
    const [, kibibytes] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
