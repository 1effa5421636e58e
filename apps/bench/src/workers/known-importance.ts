// Plants filters and scores them.
import { measureKnownImportance } from '../known-importance/measure.ts';
import { answer } from '../study/answer.ts';

await answer(measureKnownImportance);
