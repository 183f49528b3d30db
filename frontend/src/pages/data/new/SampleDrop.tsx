import { Alert, FileButton, Button, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { Problem } from '../../../api/problem'

const ACCEPTED = '.parquet,.csv,.tsv,.txt,.jsonl,.ndjson,.json'

/** Takes a file by drop or by choice. */
export function SampleDrop({ busy, error, onFile }: { busy: boolean; error: Error | null; onFile: (file: File) => void }) {
  const [over, setOver] = useState(false)
  const take = (file: File | null | undefined) => { if (file && !busy) onFile(file) }
  return (
    <Stack>
      {error ? <Alert color="red" variant="light" role="alert">{error.message} {error instanceof Problem ? error.mend : ''}</Alert> : null}
      <div
        onDragOver={(event) => { event.preventDefault(); setOver(true) }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); setOver(false); take(event.dataTransfer.files[0]) }}
        style={{ border: `2px dashed ${over ? 'var(--mantine-primary-color-filled)' : 'var(--line)'}`, borderRadius: 8, padding: 32, textAlign: 'center' }}
      >
        <Stack align="center" gap="xs">
          <Text>Drop a sample of your rows here</Text>
          <FileButton onChange={take} accept={ACCEPTED} inputProps={{ 'aria-label': 'Sample file' }}>
            {(props) => <Button {...props} variant="default" loading={busy}>Choose a file</Button>}
          </FileButton>
          <Text size="sm" className="quiet">Parquet up to 16 MiB, or CSV or JSON lines, of which the first 4 MiB are sent. Nothing is kept.</Text>
        </Stack>
      </div>
      <Text size="sm" className="quiet">Names and first rows cannot tell what was known when a row happened: leave out what became known later, it would tell the label.</Text>
    </Stack>
  )
}
