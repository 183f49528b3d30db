import { Anchor, Checkbox, Collapse, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { FURTHER, WRITE } from './scopes'

interface ScopeChoiceProps {
  /** The most the token may do: the permissions of its member's role. */
  permissions: readonly string[]
  scopes: readonly string[]
  onChange: (scopes: string[]) => void
}

/** What a token may do besides reading. */
export function ScopeChoice({ permissions, scopes, onChange }: ScopeChoiceProps) {
  const [opened, { toggle }] = useDisclosure()
  const further = Object.entries(FURTHER).filter(([scope]) => permissions.includes(scope))
  const set = (wanted: readonly string[], chosen: boolean) => onChange([...scopes.filter((scope) => !wanted.includes(scope)), ...(chosen ? wanted : [])])
  return (
    <>
      {WRITE.every((scope) => permissions.includes(scope)) ? (
        <Checkbox checked={WRITE.every((scope) => scopes.includes(scope))} onChange={(event) => set(WRITE, event.currentTarget.checked)} label="May also write" description="Upload data, register models, pause them, stop runs. Without this it only reads." />
      ) : null}
      {further.length > 0 ? (
        <div>
          <Anchor component="button" type="button" size="sm" aria-expanded={opened} onClick={toggle}>Further scopes</Anchor>
          <Collapse expanded={opened}>
            <Stack gap="xs" mt="xs">
              {further.map(([scope, allows]) => <Checkbox key={scope} label={scope} description={allows} checked={scopes.includes(scope)} onChange={(event) => set([scope], event.currentTarget.checked)} />)}
            </Stack>
          </Collapse>
        </div>
      ) : null}
    </>
  )
}
