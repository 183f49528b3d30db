import { TextInput } from '@mantine/core'

/** The last day on which a token works, UTC; empty: it never ends by itself. */
export function EndsField({ value, onChange }: { value: string; onChange: (day: string) => void }) {
  return <TextInput label="Last day (UTC)" description="Empty: it works until it is revoked" type="date" w={200} value={value} onChange={(event) => onChange(event.currentTarget.value)} />
}
