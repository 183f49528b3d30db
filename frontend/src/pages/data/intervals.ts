/** Intervals of event time as forms and file names have them. */

const NAMED = /(\d{8}T\d{6})Z-(\d{8}T\d{6})Z/

const local = (stamp: string) => stamp.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})$/, '$1-$2-$3T$4:$5:$6')

/** The interval in a file's name, as `exfm streams push` reads it, for two `datetime-local` fields; null where it has none. */
export function intervalIn(name: string): { start: string; end: string } | null {
  const [, start, end] = NAMED.exec(name) ?? []
  return start && end ? { start: local(start), end: local(end) } : null
}

/** What a `datetime-local` field holds, seconds or none, as a time in UTC. */
export const utc = (moment: string) => (/T\d{2}:\d{2}$/.test(moment) ? `${moment}:00Z` : `${moment}Z`)
