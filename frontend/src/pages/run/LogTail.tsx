import { Text } from '@mantine/core'
import { useEffect, useRef } from 'react'
import type { Run } from '../../api/types'
import { Panel } from '../../parts/Panel'

const NEAR_END_PX = 40

/** The end of the training process's log; follows new lines unless the reader has scrolled up. */
export function LogTail({ run, className }: { run: Run; className: string }) {
  const box = useRef<HTMLPreElement>(null)
  const follow = useRef(true)
  const text = run.log.join('\n')
  useEffect(() => {
    if (box.current && follow.current) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  return (
    <Panel title="Log" note="The last lines of the training process" className={className}>
      {text ? (
        <pre ref={box} className="log" tabIndex={0} aria-label="Log" onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget
          follow.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX
        }}>{text}</pre>
      ) : <Text size="sm" className="quiet">Nothing written yet.</Text>}
    </Panel>
  )
}
