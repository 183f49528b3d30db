/** Partitions that leave the browser as files: their hash, and the upload itself. */
import { api, body } from '../../api/client'
import { utc } from './intervals'
import { dataChanged } from './queries'

const HASHED_BYTES = 256 << 20

/** SHA-256 in hexadecimal. Null where the page is no secure context, or the file too large to be held in memory. */
async function digest(file: File): Promise<string | null> {
  if (!window.isSecureContext || file.size > HASHED_BYTES) return null
  const found = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  return Array.from(new Uint8Array(found), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface Upload {
  file: File
  /** UTC, as the form's fields have them. */
  start: string
  end: string
}

/** Sends the file; the answer is the partition, which a worker checks next. Rejects with a `Problem`. */
export async function upload(tenant: string, stream: string, { file, start, end }: Upload) {
  const sha256 = await digest(file)
  return body(api.POST('/api/v1/tenants/{tenant}/streams/{stream_id}/partitions', {
    params: {
      path: { tenant, stream_id: stream },
      query: { start: utc(start), end: utc(end) },
      ...(sha256 ? { header: { 'X-Content-SHA256': sha256 } } : {}),
    },
    body: file as unknown as string,
    bodySerializer: (sent: unknown) => sent as BodyInit,
    headers: { 'Content-Type': 'application/vnd.apache.parquet' },
  })).finally(() => dataChanged(tenant))
}
