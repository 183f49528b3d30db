import { Problem } from '../../api/problem'
import { duration } from '../../format/time'

/** What went wrong, in one sentence that also says how to go on. */
export function sentence(error: Error, asked: boolean): string {
  if (!(error instanceof Problem)) return error.message
  if (error.status === 429) {
    return `Too many tries. Wait ${error.retryAfter ? duration(error.retryAfter) : 'a few minutes'}, then try again.`
  }
  if (error.status === 401 && asked) return 'That code is not right, or it was used already. Wait for the next one, or use a recovery code.'
  if (error.status === 400 || error.status === 401) {
    return 'That email and password do not belong together. Check both; an administrator can give you a link to set a new password.'
  }
  return `${error.message} ${error.mend}`
}
