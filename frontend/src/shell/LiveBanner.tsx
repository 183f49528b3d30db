import { Alert } from '@mantine/core'
import { useLiveState } from '../api/live'
import { Icon } from '../parts/icons'

/** Appears when the live stream has been gone for some seconds, and leaves when it is back. */
export function LiveBanner() {
  const lost = useLiveState() === 'lost'
  return (
    <div role="status">
      {lost ? (
        <Alert color="orange" variant="light" icon={<Icon name="warn" />} mb="md">
          Live updates dropped. Figures are refreshed every few seconds meanwhile; the stream resumes by itself.
        </Alert>
      ) : null}
    </div>
  )
}
