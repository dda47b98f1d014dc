export const pathOf = (collection: string) => `/v1/collections/${encodeURIComponent(collection)}`;
