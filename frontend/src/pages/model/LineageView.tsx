import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../api/schema'
import type { Model } from '../../api/types'
import { count, plural } from '../../format/number'
import { minute } from '../../format/time'
import { Facts } from '../../parts/Facts'
import { Panel } from '../../parts/Panel'
import { StreamName } from '../../parts/StreamName'
import { StateBadge } from '../../parts/StateBadge'
import { Resource } from '../../states/Resource'
import { lineageQuery } from './queries'

/** Where the model comes from: every course of training, what it read, and the snapshots that taught it. */
export function LineageView({ tenant, model }: { tenant: string; model: Model }) {
  return (
    <Resource query={useQuery(lineageQuery(tenant, model.id))} isEmpty={(lineage) => lineage.courses.length === 0} empty={<Text className="quiet">Opened with the first partition.</Text>}>
      {({ courses }) => (
        <div className="grid">
          {courses.map((course) => (
            <Panel key={course.id} className="w6" title={`Version ${course.version}, ${course.arm}`} note={`Lineage ${course.id.slice(-8)}, seed ${course.seed}`} aside={<StateBadge state={course.state} />}>
              <Facts rows={[
                ['Started from', course.parent_checkpoint ? `checkpoint ${course.parent_checkpoint.slice(-8)}` : 'untrained'],
                ['Read', <span key="read" style={{ whiteSpace: 'normal' }}>{`${count(course.rows)} rows of ${plural(course.partitions, 'partition')}`}</span>],
                ['Event time (UTC)', <span key="time" style={{ whiteSpace: 'normal' }}>{course.start && course.end ? `${minute(course.start)} – ${minute(course.end)}` : '–'}</span>],
                ['Newest checkpoint', course.head ? course.head.slice(-8) : 'none yet'],
                ['Stream', <StreamName key="stream" tenant={tenant} stream={model.stream} />],
              ]} />
              <Text size="sm" fw={600} mt="sm">{taught(course)}</Text>
              <ul style={{ margin: 0, paddingLeft: 18, fontSize: 13 }}>
                {course.snapshots.map((snapshot) => <li key={snapshot.id}>{snapshot.id.slice(-8)}, watermark {minute(snapshot.watermark)} UTC <StateBadge state={snapshot.state} /></li>)}
              </ul>
            </Panel>
          ))}
        </div>
      )}
    </Resource>
  )
}

function taught({ arm, snapshots }: components['schemas']['Course']): string {
  if (snapshots.length > 0) return `Taught by ${plural(snapshots.length, 'snapshot')}`
  return arm === 'control' ? 'Not taught: the control arm learns from ground truth alone' : 'Taught by no snapshot so far'
}
