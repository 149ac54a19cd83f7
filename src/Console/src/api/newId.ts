/** An id that nobody else makes. Not by crypto.randomUUID, which pages over plain http do not have. */
export const newId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
