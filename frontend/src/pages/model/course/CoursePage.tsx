import type { Model } from '../../../api/types'
import { Aliases } from './Aliases'
import { Checkpoints } from './Checkpoints'
import { Teacher } from './Teacher'
import { Versions } from './Versions'

/** What a team decides about a model after its registration. */
export function CoursePage({ tenant, model }: { tenant: string; model: Model }) {
  return (
    <div className="grid">
      <Aliases tenant={tenant} model={model} className="w7" />
      <Teacher tenant={tenant} model={model} className="w5" />
      <Versions tenant={tenant} model={model} />
      <Checkpoints tenant={tenant} model={model} />
    </div>
  )
}
