// The bundle's entry: all specs of tfjs-core, ready to run on the torch backend.
import { runner } from './jasmine.ts';
import './environment.ts';
// Imports every *_test.js.
import '@tensorflow/tfjs-core/dist/tests.js';
import type { SpecResult } from './spec-result.ts';

/** Runs the specs whose full names contain `filter`. */
export async function runSpecs(filter: string): Promise<SpecResult[]> {
  const results: SpecResult[] = [];
  const add = (name: string, status: SpecResult['status'], failures: ReadonlyArray<{ readonly message: string }>) =>
    results.push({ name, status, messages: failures.map(({ message }) => message) });
  /** beforeAll and afterAll fail without a spec of their own. */
  const addFailures = (name: string, failures: ReadonlyArray<{ readonly message: string }>) => {
    if (failures.length > 0) add(name, 'failed', failures);
  };
  runner.clearReporters();
  runner.configure({ specFilter: (spec) => spec.getFullName().includes(filter) });
  runner.addReporter({
    specDone({ fullName, status, failedExpectations }) {
      // What the filter left out.
      if (status === 'excluded') return;
      add(fullName, status === 'pending' ? 'skipped' : status, failedExpectations);
    },
    suiteDone({ fullName, failedExpectations }) {
      addFailures(fullName, failedExpectations);
    },
  });
  addFailures('outside of all suites', (await runner.execute()).failedExpectations);
  return results;
}
