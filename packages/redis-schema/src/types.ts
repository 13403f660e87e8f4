/** Milliseconds since 1970, by the clock of Redis. */
export type EpochMs = number;

/** One life of the data in Redis: the number of the recovery that it began with, `-`, and a mark of the server. */
export type Epoch = string;

/** What a host has published its launches in: a life of the data, or a recovery, by its number. */
export type DataLife = Epoch | number;
