export * from './golden-files.ts';
export * from './golden-images.ts';
export * from './golden-model.ts';
